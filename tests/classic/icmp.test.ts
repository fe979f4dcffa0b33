import { describe, expect, test } from 'vitest';
import { icmpErrorPacket, icmpPacket } from '../../engine/packet/build.ts';
import { EVERY, Host } from './host.ts';
import { CLIENT, SERVER, TcpTalk, UdpTalk } from './talk.ts';

const PAIRS = [
  ['echo', 8, 0],
  ['timestamp', 13, 14],
  ['information', 15, 16],
  ['address mask', 17, 18],
] as const;

const ERRORS = [
  ['destination unreachable', 3, 1],
  ['fragmentation needed', 3, 4],
  ['source quench', 4, 0],
  ['redirect', 5, 1],
  ['time exceeded', 11, 0],
  ['parameter problem', 12, 0],
] as const;

/** All types from 0 to 255 but those of the four pairs' requests. */
const OTHERS = Array.from({ length: 256 }, (_, type) => type).filter(
  (type) => ![8, 13, 15, 17].includes(type),
);

describe.each(EVERY)('%s', (_name, profile) => {
  test.each(PAIRS)('classic: ICMP: the %s request is NEW, its reply ESTABLISHED', (_name, request, reply) => {
    const host = new Host(profile);
    expect(host.send(icmpPacket({ src: CLIENT, dst: SERVER, type: request, id: 7 }))).toBe('NEW');
    expect(host.entry()).toBe('icmp 1 30 [UNREPLIED]');
    expect(host.flow()).toMatchObject({ original: { type: request, id: 7 }, reply: { type: reply, id: 7 } });
    expect(host.send(icmpPacket({ src: SERVER, dst: CLIENT, type: reply, id: 7 }))).toBe('ESTABLISHED');
  });

  test.each(PAIRS)('classic: ICMP: the %s reply with another id is none', (_name, request, reply) => {
    const host = new Host(profile);
    host.send(icmpPacket({ src: CLIENT, dst: SERVER, type: request, id: 7 }));
    expect(host.send(icmpPacket({ src: SERVER, dst: CLIENT, type: reply, id: 8 }))).toBe('INVALID');
  });

  test.each(ERRORS)(
    'classic: ICMP: %s is RELATED to the connection that it is about',
    (_name, type, code) => {
      const host = new Host(profile);
      const talk = new UdpTalk(host);
      talk.client();
      host.wait(5);
      const router = { src: '172.16.0.1', type, code, quoted: talk.datagram(0) };
      expect(host.send(icmpErrorPacket(router))).toBe('RELATED');
      expect(host.entry()).toBe('udp 17 25 [UNREPLIED]');
    },
  );

  test.each(ERRORS)('classic: ICMP: %s about an unknown connection is INVALID', (_name, type, code) => {
    const host = new Host(profile);
    const quoted = new TcpTalk(host).segment(0, 'S');
    expect(host.send(icmpErrorPacket({ src: SERVER, type, code, quoted }))).toBe('INVALID');
  });

  test('classic: ICMP: no other type can be NEW', () => {
    const host = new Host(profile);
    const states = OTHERS.map((type) => host.send(icmpPacket({ src: CLIENT, dst: SERVER, type, id: 7 })));
    expect(new Set(states)).toEqual(new Set(['INVALID']));
    expect(host.flows()).toEqual([]);
  });

  test.each(PAIRS)(
    'classic: ICMP: the %s reply without a request is neither NEW nor RELATED, so no such chain lets it out',
    (_name, _request, reply) => {
      const host = new Host(profile);
      expect(host.send(icmpPacket({ src: CLIENT, dst: SERVER, type: reply, id: 7 }))).toBe('INVALID');
    },
  );
});
