import { expect, test } from 'vitest';
import { EINVAL, ENOENT, EPERM } from './libc.ts';
import { openRefusal } from './tun-device.ts';

test('where /dev/net/tun is missing, it says what to do', () => {
  expect(openRefusal(ENOENT)).toBe(
    'opening /dev/net/tun: it is not there: modprobe tun, and in a container --device /dev/net/tun',
  );
  expect(openRefusal(EPERM)).toContain('--device /dev/net/tun');
  expect(openRefusal(EINVAL)).toBe('opening /dev/net/tun: EINVAL');
});
