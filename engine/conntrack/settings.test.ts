import { describe, expect, test } from 'vitest';
import { LINUX_2_4, LINUX_2_4_TCP_WINDOW, LINUX_6_18 } from './profile.ts';
import { Settings, SYSCTLS, SysctlError } from './settings.ts';

describe('Settings', () => {
  test.each([
    'nf_conntrack_udp_timeout',
    'net.netfilter.nf_conntrack_udp_timeout',
    'net/netfilter/nf_conntrack_udp_timeout',
    '/proc/sys/net/netfilter/nf_conntrack_udp_timeout',
    'net.ipv4.netfilter.ip_conntrack_udp_timeout',
    'net/ipv4/netfilter/ip_conntrack_udp_timeout',
    '/proc/sys/net/ipv4/netfilter/ip_conntrack_udp_timeout',
    'net.ipv4.netfilter.ip_ct_udp_timeout',
    'net.ipv4.ip_conntrack_udp_timeout',
    'netfilter.ip_conntrack_udp_timeout',
    'ip_conntrack_udp_timeout',
    'ip_ct_udp_timeout',
  ])('knows the UDP timeout as %s', (name) => {
    const settings = new Settings();
    settings.set(name, '7');
    expect(settings.get('nf_conntrack_udp_timeout')).toBe(7);
    expect(settings.get(name)).toBe(7);
    expect(settings.millis(name)).toBe(7000);
  });

  test.each([
    ['net.nf_conntrack_max', 'nf_conntrack_max'],
    ['net.ipv4.ip_conntrack_max', 'nf_conntrack_max'],
    ['/proc/sys/net/ipv4/ip_conntrack_max', 'nf_conntrack_max'],
    ['ip_conntrack_tcp_loose', 'nf_conntrack_tcp_loose'],
    ['net/ipv4/ipfrag_time', 'net.ipv4.ipfrag_time'],
    ['ipfrag_time', 'net.ipv4.ipfrag_time'],
  ])('%s is %s', (alias, name) => {
    const settings = new Settings();
    settings.set(alias, 0);
    expect(settings.entries().find(({ sysctl }) => sysctl.name === name)?.value).toBe(0);
  });

  test.each([
    [
      'nf_conntrack_udp_timout',
      "unknown sysctl 'nf_conntrack_udp_timout': did you mean 'nf_conntrack_udp_timeout'?",
    ],
    ['net.ipv4.netfilter.ip_conntrack_tcp_lose', "did you mean 'nf_conntrack_tcp_loose'?"],
    ['net.core.somaxconn', "unknown sysctl 'net.core.somaxconn'"],
    ['', "unknown sysctl ''"],
    ['__proto__', "unknown sysctl '__proto__'"],
  ])('refuses the name %s and says what it may have been', (name, message) => {
    const settings = new Settings();
    expect(() => settings.set(name, 1)).toThrow(SysctlError);
    expect(() => settings.set(name, 1)).toThrow(message);
    expect(() => settings.get(name)).toThrow(message);
  });

  test('suggests nothing where nothing is near', () => {
    expect(() => new Settings().get('net.core.somaxconn')).toThrow(/^unknown sysctl 'net.core.somaxconn'$/);
  });

  test.each([
    ['nf_conntrack_tcp_loose', '2'],
    ['nf_conntrack_tcp_loose', '-1'],
    ['nf_conntrack_log_invalid', '256'],
    ['nf_conntrack_events', '3'],
    ['nf_conntrack_udp_timeout', '8589935'],
    ['nf_conntrack_udp_timeout', '-8589935'],
    ['nf_conntrack_udp_timeout', ''],
    ['nf_conntrack_udp_timeout', ' '],
    ['nf_conntrack_udp_timeout', 'abc'],
    ['nf_conntrack_udp_timeout', '1.5'],
    ['nf_conntrack_udp_timeout', '1e3'],
    ['nf_conntrack_udp_timeout', '30s'],
    ['nf_conntrack_udp_timeout', '+3'],
    ['nf_conntrack_udp_timeout', '09'],
    ['nf_conntrack_udp_timeout', '--3'],
    ['nf_conntrack_udp_timeout', '7 8'],
    ['nf_conntrack_udp_timeout', Number.NaN],
    ['nf_conntrack_udp_timeout', 1.5],
    ['nf_conntrack_udp_timeout', Number.POSITIVE_INFINITY],
  ])('refuses %s = %o, keeps what it was, and tells the range', (name, value) => {
    const settings = new Settings();
    const before = settings.get(name);
    const { version } = settings;
    expect(() => settings.set(name, value)).toThrow(SysctlError);
    expect(() => settings.set(name, value)).toThrow(
      /^nf_conntrack_\w+: bad value '.*': expected a whole number from -?\d+ to \d+/,
    );
    expect(settings.get(name)).toBe(before);
    expect(settings.version).toBe(version);
  });

  test('names the unit of a time that it refuses', () => {
    expect(() => new Settings().set('nf_conntrack_udp_timeout', 'abc')).toThrow(/\(seconds\)$/);
    expect(() => new Settings().set('nf_conntrack_tcp_loose', 'abc')).not.toThrow(/\(seconds\)$/);
  });

  test.each([
    ['30', 30],
    [' 30 ', 30],
    ['30\n', 30],
    ['0', 0],
    ['-1', -1],
    ['010', 8],
    ['0x10', 16],
    ['0X1f', 31],
    ['8589934', 8589934],
    [45, 45],
  ])('reads %o as the kernel does: %i', (text, value) => {
    const settings = new Settings();
    settings.set('nf_conntrack_udp_timeout', text);
    expect(settings.get('nf_conntrack_udp_timeout')).toBe(value);
  });

  test('refuses a low threshold above its high one, and a high one below its low one', () => {
    const settings = new Settings();
    for (const prefix of ['nf_conntrack_frag6', 'net.ipv4.ipfrag']) {
      expect(() => settings.set(`${prefix}_low_thresh`, 4194305)).toThrow(SysctlError);
      expect(() => settings.set(`${prefix}_high_thresh`, 3145727)).toThrow(SysctlError);
      settings.set(`${prefix}_high_thresh`, 5_000_000_000);
      settings.set(`${prefix}_low_thresh`, 5_000_000_000);
      expect(settings.get(`${prefix}_low_thresh`)).toBe(5_000_000_000);
    }
  });

  test('counts its changes, so that copies know when they are old', () => {
    const settings = new Settings();
    const { version } = settings;
    settings.set('nf_conntrack_acct', 1);
    expect(settings.version).toBeGreaterThan(version);
  });

  test('of one firewall are not those of another', () => {
    const one = new Settings();
    one.set('nf_conntrack_udp_timeout', 7);
    expect(new Settings().get('nf_conntrack_udp_timeout')).toBe(30);
  });

  test('list every sysctl once, each with a default in its range', () => {
    for (const profile of [LINUX_6_18, LINUX_2_4, LINUX_2_4_TCP_WINDOW]) {
      const entries = new Settings(profile).entries();
      expect(new Set(entries.map(({ sysctl }) => sysctl.name)).size).toBe(entries.length);
      for (const { sysctl, value } of entries) {
        expect(value, sysctl.name).toBeGreaterThanOrEqual(sysctl.min);
        expect(value, sysctl.name).toBeLessThanOrEqual(sysctl.max);
      }
    }
    expect(new Settings(LINUX_2_4).entries()).toHaveLength(SYSCTLS.length);
  });

  test('have the timeouts NONE and LISTEN in the classic profiles only', () => {
    expect(new Settings(LINUX_2_4).get('nf_conntrack_tcp_timeout_none')).toBe(1800);
    expect(new Settings(LINUX_2_4_TCP_WINDOW).get('nf_conntrack_tcp_timeout_listen')).toBe(120);
    expect(() => new Settings(LINUX_6_18).get('nf_conntrack_tcp_timeout_none')).toThrow(SysctlError);
  });
});

test.each([
  ['net.netfilter.nf_conntrack_buckets', 'the table grows as it fills'],
  ['nf_conntrack_count', 'only shows'],
  ['net.netfilter.nf_conntrack_helper', 'by rules only'],
])('%s is no setting, and the error says why', (name, why) => {
  expect(() => new Settings().set(name, 1)).toThrow(why);
});
