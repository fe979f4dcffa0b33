import { describe, expect, test } from 'vitest';
import { CLASSIC, Host, on, TODAY, WINDOW } from './host.ts';
import { CLIENT, SERVER, UdpTalk } from './talk.ts';

/** Profile, and the time of a stream (s): 180, today 120. */
const STREAMS = [on(CLASSIC, 180), on(WINDOW, 180), on(TODAY, 120)];

/** A conversation that went on long enough to be a stream in every profile. */
function stream(host: Host, port: number): void {
  const talk = new UdpTalk(host, port);
  talk.client();
  talk.server();
  host.wait(3);
  talk.client();
}

describe.each(STREAMS)('%s', (_name, profile, streamTimeout) => {
  test('classic: UDP: the first packet is NEW and makes an UNREPLIED entry for 30 s', () => {
    const host = new Host(profile);
    expect(new UdpTalk(host).client()).toBe('NEW');
    expect(host.entry()).toBe('udp 17 30 [UNREPLIED]');
    host.wait(10);
    expect(host.entry()).toBe('udp 17 20 [UNREPLIED]');
  });

  test('classic: UDP: with an answer the mark UNREPLIED goes and the timer starts again at 30 s', () => {
    const host = new Host(profile);
    const talk = new UdpTalk(host);
    talk.client();
    host.wait(10);
    expect(talk.server()).toBe('ESTABLISHED');
    expect(host.entry()).toBe('udp 17 30');
  });

  test('classic: UDP: several exchanges make a stream: ASSURED, with a longer time', () => {
    const host = new Host(profile);
    stream(host, 1026);
    expect(host.entry()).toBe(`udp 17 ${streamTimeout} [ASSURED]`);
  });

  test('classic: UDP: a sender without any answer stays UNREPLIED and NEW however often it sends', () => {
    const host = new Host(profile);
    const talk = new UdpTalk(host);
    for (let i = 0; i < 20; i++) {
      expect(talk.client()).toBe('NEW');
      host.wait(5);
    }
    expect(host.entry()).toBe('udp 17 25 [UNREPLIED]');
  });

  test('classic: UDP: ASSURED entries are not dropped when the table is full, others are', () => {
    const host = new Host(profile, { 'net.ipv4.ip_conntrack_max': 3 });
    stream(host, 1);
    stream(host, 2);
    new UdpTalk(host, 3).client();
    expect(new UdpTalk(host, 4).client()).toBe('NEW');
    expect(host.flows().map((flow) => flow.original.sport)).toEqual([1, 2, 4]);
    stream(host, 4);
    expect(new UdpTalk(host, 5).client()).toBe('dropped');
    expect(host.reason).toBe('table-full');
    expect(new UdpTalk(host, 1).server()).toBe('ESTABLISHED');
  });

  test('classic: UDP: an answer that comes after the timer ran out is NEW again', () => {
    const host = new Host(profile);
    const talk = new UdpTalk(host, 5060);
    talk.client();
    host.wait(30);
    expect(talk.server()).toBe('NEW');
    expect(host.flow().original).toMatchObject({ src: SERVER, dst: CLIENT, dport: 5060 });
  });
});

// Today an answer is not enough: two seconds must have passed since the first packet (measured).
test.each([on(CLASSIC, 'udp 17 180 [ASSURED]'), on(WINDOW, 'udp 17 180 [ASSURED]'), on(TODAY, 'udp 17 30')])(
  'classic: UDP: %s: the third packet of an exchange within two seconds',
  (_name, profile, entry) => {
    const host = new Host(profile);
    const talk = new UdpTalk(host);
    talk.client();
    talk.server();
    host.wait(1);
    expect(talk.client()).toBe('ESTABLISHED');
    expect(host.entry()).toBe(entry);
  },
);

test('classic: UDP: the line of /proc/net/ip_conntrack begins with udp 17 30 and ends with use=1', () => {
  const host = new Host(CLASSIC);
  new UdpTalk(host).client();
  expect(host.lines()).toEqual([
    `udp      17 30 src=${CLIENT} dst=${SERVER} sport=1026 dport=53 [UNREPLIED] ` +
      `src=${SERVER} dst=${CLIENT} sport=53 dport=1026 use=1`,
  ]);
});
