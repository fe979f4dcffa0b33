import { describe, expect, test } from 'vitest';
import { CLASSIC, EVERY, Host, on, TODAY, WINDOW } from './host.ts';
import { TcpTalk } from './talk.ts';

describe.each(EVERY)('%s', (_name, profile) => {
  test('classic: TCP: a SYN is NEW and makes an entry in SYN_SENT, UNREPLIED, for 2 min', () => {
    const host = new Host(profile);
    expect(new TcpTalk(host).client('S')).toBe('NEW');
    expect(host.entry()).toBe('tcp 6 120 SYN_SENT [UNREPLIED]');
  });

  test('classic: TCP: the SYN/ACK is ESTABLISHED and leaves SYN_RECV for 60 s, no longer UNREPLIED', () => {
    const host = new Host(profile);
    const talk = new TcpTalk(host);
    talk.client('S');
    expect(talk.server('SA')).toBe('ESTABLISHED');
    expect(host.entry()).toBe('tcp 6 60 SYN_RECV');
  });

  test('classic: TCP: the ACK completes the handshake: ESTABLISHED and ASSURED for 5 days', () => {
    const host = new Host(profile);
    expect(new TcpTalk(host).open()).toEqual(['NEW', 'ESTABLISHED', 'ESTABLISHED']);
    expect(host.entry()).toBe(`tcp 6 ${5 * 86400} ESTABLISHED [ASSURED]`);
  });

  test.each(['client', 'server'] as const)(
    'classic: TCP: the end by FIN/ACK, ACK, FIN/ACK, ACK, begun by the %s, is TIME_WAIT for 2 min',
    (first) => {
      const host = new Host(profile);
      const talk = new TcpTalk(host);
      talk.open();
      expect(talk.close(first)).toEqual(Array(4).fill('ESTABLISHED'));
      expect(host.entry()).toBe('tcp 6 120 TIME_WAIT [ASSURED]');
      host.wait(119);
      expect(talk.client('A')).toBe('ESTABLISHED');
      expect(host.entry()).toBe('tcp 6 120 TIME_WAIT [ASSURED]');
      host.wait(120);
      expect(host.flows()).toEqual([]);
    },
  );

  test('classic: TCP: a side that closed still gets data, and its ACKs pass', () => {
    const host = new Host(profile);
    const talk = new TcpTalk(host);
    talk.open();
    talk.client('FA');
    talk.server('A');
    expect(talk.server('A', 500)).toBe('ESTABLISHED');
    expect(talk.client('A')).toBe('ESTABLISHED');
    expect(talk.server('FA')).toBe('ESTABLISHED');
    talk.client('A');
    expect(host.flow().state).toBe('TIME_WAIT');
  });

  test.each(['client', 'server'] as const)(
    'classic: TCP: the end by RST of the %s is CLOSE, gone after 10 s, without any acknowledgment',
    (side) => {
      const host = new Host(profile);
      const talk = new TcpTalk(host);
      talk.open();
      expect(talk[side]('R')).toBe('ESTABLISHED');
      expect(host.entry()).toBe('tcp 6 10 CLOSE [ASSURED]');
      host.wait(10);
      expect(host.flows()).toEqual([]);
    },
  );

  test('classic: TCP: a RST that answers the SYN ends the entry at once', () => {
    const host = new Host(profile);
    const talk = new TcpTalk(host);
    talk.client('S');
    expect(talk.server('RA')).toBe('ESTABLISHED');
    expect(host.flows()).toEqual([]);
  });

  test('classic: TCP: an ACK to nobody, whom no RST answers, is NEW and makes an entry that is never ASSURED', () => {
    const host = new Host(profile);
    const talk = new TcpTalk(host);
    for (let i = 0; i < 10; i++) {
      expect(talk.client('A')).toBe('NEW');
      host.wait(60);
    }
    expect(host.flow().state).toBe('ESTABLISHED');
    expect(host.entry()).toMatch(/ ESTABLISHED \[UNREPLIED\]$/);
  });

  test('classic: TCP: a session that was idle until its entry ran out goes on when the opening side sends first', () => {
    const host = new Host(profile);
    const talk = new TcpTalk(host);
    talk.open();
    host.wait(5 * 86400);
    expect(host.flows()).toEqual([]);
    expect(talk.client('A', 10)).toBe('NEW');
    expect(talk.server('A', 10)).toBe('ESTABLISHED');
    expect(host.flow().original.sport).toBe(1025);
  });
});

describe('linux-2.4: no windows', () => {
  test.each([
    ['a bare ACK', 'A', 'ESTABLISHED', 5 * 86400],
    ['a packet without any flag', '', 'NONE', 1800],
    ['FIN', 'F', 'TIME_WAIT', 120],
    ['FIN/ACK', 'FA', 'TIME_WAIT', 120],
    ['SYN/ACK', 'SA', 'SYN_SENT', 120],
    ['RST', 'R', 'CLOSE', 10],
    ['SYN with FIN', 'SF', 'SYN_SENT', 120],
  ])('classic: TCP: %s can be NEW', (_name, flags, state, timeout) => {
    const host = new Host(CLASSIC);
    expect(new TcpTalk(host).client(flags)).toBe('NEW');
    expect(host.entry()).toBe(`tcp 6 ${timeout} ${state} [UNREPLIED]`);
  });

  test('classic: TCP: an entry that a bare ACK made is not ASSURED by answers either', () => {
    const host = new Host(CLASSIC);
    const talk = new TcpTalk(host);
    for (let i = 0; i < 3; i++) {
      talk.client('A', 10);
      talk.server('A', 10);
    }
    expect(host.entry()).toBe(`tcp 6 ${5 * 86400} ESTABLISHED`);
  });

  test('classic: TCP: only the ACK of the SYN/ACK makes an entry ASSURED', () => {
    const host = new Host(CLASSIC);
    const talk = new TcpTalk(host);
    talk.client('S');
    talk.server('SA');
    const right = talk.segment(0, 'A');
    // The acknowledgment number, a little beside.
    const wrong = right.slice();
    wrong[20 + 11]! ^= 1;
    expect(host.send(wrong)).toBe('ESTABLISHED');
    expect(host.entry()).toBe(`tcp 6 ${5 * 86400} ESTABLISHED`);
  });

  test('classic: TCP: no window is followed: a segment far outside is ESTABLISHED', () => {
    const host = new Host(CLASSIC);
    const talk = new TcpTalk(host);
    talk.open();
    expect(host.send(talk.segment(0, 'A', 10, 1_000_000))).toBe('ESTABLISHED');
    expect(host.send(talk.segment(1, 'R', 0, 1_000_000))).toBe('ESTABLISHED');
    expect(host.flow().state).toBe('CLOSE');
  });
});

describe.each([on(WINDOW), on(TODAY)])('%s: windows', (_name, profile) => {
  test('classic: TCP: filtering follows sequence numbers and windows: a segment far outside is INVALID', () => {
    const host = new Host(profile);
    const talk = new TcpTalk(host);
    talk.open();
    expect(host.send(talk.segment(0, 'A', 10, 1_000_000))).toBe('INVALID');
    expect(host.reason).toBe('tcp-seq-over');
    expect(host.send(talk.segment(1, 'R', 0, 1_000_000))).toBe('INVALID');
    expect(host.entry()).toBe(`tcp 6 ${5 * 86400} ESTABLISHED [ASSURED]`);
  });

  test('classic: TCP: be_liberal lets such a segment be ESTABLISHED', () => {
    const host = new Host(profile, { ip_conntrack_tcp_be_liberal: 1 });
    const talk = new TcpTalk(host);
    talk.open();
    expect(host.send(talk.segment(0, 'A', 10, 1_000_000))).toBe('ESTABLISHED');
  });

  test('classic: TCP: max_retrans repetitions of one ACK leave the time of max_retrans, 5 min', () => {
    const host = new Host(profile, { ip_conntrack_tcp_max_retrans: 2 });
    const talk = new TcpTalk(host);
    talk.open();
    talk.client('A');
    expect(host.left()).toBe(5 * 86400);
    talk.client('A');
    expect(host.left()).toBe(300);
  });

  test.each([
    ['ACK', 'A', 'NEW', 'INVALID'],
    ['SYN', 'S', 'NEW', 'NEW'],
    ['FIN/ACK', 'FA', 'INVALID', 'INVALID'],
    ['SYN/ACK', 'SA', 'INVALID', 'INVALID'],
    ['RST', 'R', 'INVALID', 'INVALID'],
    ['no flag at all', '', 'INVALID', 'INVALID'],
  ])(
    'classic: TCP: tcp_loose decides whether what is no SYN may be NEW: %s',
    (_name, flags, loose, strict) => {
      expect(new TcpTalk(new Host(profile)).client(flags)).toBe(loose);
      const host = new Host(profile, { 'net.ipv4.netfilter.ip_conntrack_tcp_loose': 0 });
      expect(new TcpTalk(host).client(flags)).toBe(strict);
      expect(host.flows()).toHaveLength(strict === 'NEW' ? 1 : 0);
    },
  );

  test('classic: TCP: with tcp_loose 0 a session that was idle until its entry ran out cannot go on', () => {
    const host = new Host(profile, { ip_conntrack_tcp_loose: 0 });
    const talk = new TcpTalk(host);
    talk.open();
    host.wait(5 * 86400);
    expect(talk.client('A', 10)).toBe('INVALID');
    expect(talk.server('A', 10)).toBe('INVALID');
    expect(host.flows()).toEqual([]);
  });
});
