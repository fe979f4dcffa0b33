import { describe, expect, test } from 'vitest';
import { suggest } from './suggest.ts';

const KNOWN = ['nf_conntrack_tcp_loose', 'nf_conntrack_tcp_be_liberal', 'nf_conntrack_max', 'udp', 'tcp'];

describe('suggest', () => {
  test('finds the name with a letter missing, added, swapped or wrong', () => {
    expect(suggest('nf_conntrack_tcp_lose', KNOWN)).toBe('nf_conntrack_tcp_loose');
    expect(suggest('nf_conntrack_tcp_looose', KNOWN)).toBe('nf_conntrack_tcp_loose');
    expect(suggest('nf_conntrack_tcp_loosE', KNOWN)).toBe('nf_conntrack_tcp_loose');
    expect(suggest('nf_conntrakc_max', KNOWN)).toBe('nf_conntrack_max');
  });

  test('takes the nearest of several', () => {
    expect(suggest('tdp', ['tcp', 'udp', 'tdx6'])).toBe('tcp');
    expect(suggest('Established', ['establish', 'established'])).toBe('established');
  });

  test('is silent about a word that resembles nothing', () => {
    expect(suggest('colour', KNOWN)).toBeUndefined();
    expect(suggest('x', [])).toBeUndefined();
  });

  test('is silent about one or two letters, but for their case', () => {
    expect(suggest('g', ['log', 'gt'])).toBeUndefined();
    expect(suggest('ip', ['icmp', 'tcp'])).toBeUndefined();
    expect(suggest('IP', ['ip6', 'ip'])).toBe('ip');
  });

  test('allows one mistake in a short word, two in a longer one, three in a long one', () => {
    expect(suggest('tcp', ['tcpxx', 'tcp6x'])).toBeUndefined();
    expect(suggest('foo', ['top', 'log'])).toBeUndefined();
    expect(suggest('verdcit', ['verdict'])).toBe('verdict');
    expect(suggest('soruces', ['source'])).toBe('source');
    expect(suggest('limit', ['list'])).toBeUndefined();
    expect(suggest('nf_conntrack_foo', KNOWN)).toBeUndefined();
    expect(suggest('nf_conntrack_tcp_liberal', KNOWN)).toBe('nf_conntrack_tcp_be_liberal');
  });

  test('takes two swapped letters for one mistake, and the longer of two that are as near', () => {
    expect(suggest('tpc', KNOWN)).toBe('tcp');
    expect(suggest('prot', ['port', 'proto'])).toBe('proto');
  });

  test('completes what only one name begins with', () => {
    expect(suggest('nf_conntrack_tcp_be', KNOWN)).toBe('nf_conntrack_tcp_be_liberal');
    expect(suggest('est', ['new', 'established'])).toBe('established');
    expect(suggest('syn', ['syn_sent', 'syn_recv'])).toBeUndefined();
  });
});
