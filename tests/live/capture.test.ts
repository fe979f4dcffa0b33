/** The capture driver, and what drivers say when they cannot start. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Namespace, namespacesUsable, veth } from './namespace.ts';
import { Worker } from './worker.ts';

const usable = namespacesUsable(['ping', 'setpriv', 'curl']);

describe.skipIf(!usable)('a watched device', () => {
  let here: Namespace;
  let there: Namespace;
  beforeAll(() => {
    here = new Namespace('here');
    there = new Namespace('there');
    veth(here, 'eth0', there, 'eth0');
    here.address('eth0', '10.9.0.1/24');
    there.address('eth0', '10.9.0.2/24');
  });
  afterAll(() => {
    here.close();
    there.close();
  });

  test('shows packets of both directions, whole, whatever their size, and changes nothing', async () => {
    const worker = await Worker.start(here, 'capture-worker.ts', 'eth0');
    const { status } = here.run(['ping', '-c', '1', '-W', '1', '10.9.0.2']);
    expect(status).toBe(0);
    expect((await worker.ask()).split(';')).toEqual([
      'out 10.9.0.1 10.9.0.2 1 84',
      'in 10.9.0.2 10.9.0.1 1 84',
    ]);
    await Worker.start(there, 'server-worker.ts', '8080');
    here.run(['curl', '-s', '-o', '/dev/null', 'http://10.9.0.2:8080/5000000']);
    const bytes = (await worker.ask())
      .split(';')
      .filter((line) => line.startsWith('in 10.9.0.2 10.9.0.1 6 '))
      .map((line) => Number(line.split(' ')[4]) - 52);
    // Not cut to what fits a place of the ring: the offloads of veth make them up to 64 KiB long.
    expect(Math.max(...bytes)).toBeGreaterThan(10_000);
    expect(bytes.reduce((sum, n) => sum + n)).toBeGreaterThan(5_000_000);
    await worker.close();
  });

  test('shows each packet of lo once', async () => {
    const worker = await Worker.start(here, 'capture-worker.ts', 'lo');
    here.run(['ping', '-c', '1', '-W', '1', '127.0.0.1']);
    expect((await worker.ask()).split(';')).toEqual([
      'in 127.0.0.1 127.0.0.1 1 84',
      'in 127.0.0.1 127.0.0.1 1 84',
    ]);
    await worker.close();
  });
});

describe.skipIf(!usable)('a driver that cannot start', () => {
  let space: Namespace;
  beforeAll(() => {
    space = new Namespace('poor');
    space.ip('link', 'add', 'left', 'type', 'veth', 'peer', 'name', 'right');
  });
  afterAll(() => space.close());

  function said(without: string, ...devices: readonly string[]): string {
    const worker = fileURLToPath(new URL('bridge-worker.ts', import.meta.url));
    const node = [process.execPath, '--conditions=keepstate-source', '--import', 'tsx', worker];
    const poor =
      without === '' ? [] : ['setpriv', '--bounding-set', `-${without}`, '--inh-caps', `-${without}`];
    return space.run([...poor, ...node, JSON.stringify({ devices })]).stderr;
  }

  test('names the device that is missing, or of another kind', () => {
    expect(said('', 'left', 'rigth')).toContain('there is no network device rigth\n');
    expect(said('', 'left', 'lo')).toContain('lo is no Ethernet device (type 772), and cannot be bridged\n');
    expect(said('', 'left')).toContain('a bridge needs two devices or more\n');
  });

  test('names the capability that is missing', () => {
    expect(said('net_raw', 'left', 'right')).toContain('left needs CAP_NET_RAW\n');
    expect(said('net_admin', 'left', 'right')).toContain(
      'enlarging the buffers of left needs CAP_NET_ADMIN\n',
    );
  });
});
