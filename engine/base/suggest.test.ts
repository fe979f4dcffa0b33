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
    expect(suggest('tdp', ['tcp', 'udp', 'tdpx'])).toBe('tcp');
    expect(suggest('established', ['establish', 'established'])).toBe('established');
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

  test('allows two edits in a short word and a third of the letters in a long one', () => {
    expect(suggest('tc', ['tcpxx'])).toBeUndefined();
    expect(suggest('tcp', ['tcpxx'])).toBe('tcpxx');
    expect(suggest('abcdefghijkl', ['abcdefgh'])).toBe('abcdefgh');
    expect(suggest('abcdefghijkl', ['abcdefg'])).toBeUndefined();
  });
});
