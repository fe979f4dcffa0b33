/** Scripts that both sides play: the named ones for every kind of flow, and random ones. */

import type { Dice } from '../traffic/dice.ts';
import { SctpTraffic } from '../traffic/sctp.ts';
import { TcpTraffic } from '../traffic/tcp.ts';
import { KINDS, type Kind } from './clash-packets.ts';
import { accept, arrive, drop, FLUSH, pass, type Step } from './clash-script.ts';

/** What happens to the first packets of a flow: p and q come from the client, r from the server. */
export const SCRIPTS: Readonly<Record<string, (kind: Kind) => readonly Step[]>> = {
  'two first packets, confirmed in order': (k) => [
    arrive('p', k.packet(0, 4)),
    arrive('q', k.packet(0, 20)),
    accept('p'),
    accept('q'),
  ],
  'two first packets, confirmed the other way round': (k) => [
    arrive('p', k.packet(0, 4)),
    arrive('q', k.packet(0, 20)),
    accept('q'),
    accept('p'),
  ],
  'three first packets': (k) => [
    arrive('p', k.packet(0, 4)),
    arrive('q', k.packet(0, 20)),
    arrive('s', k.packet(0, 36)),
    accept('s'),
    accept('p'),
    accept('q'),
  ],
  'an answer while the request is held, request confirmed first': (k) => [
    arrive('p', k.packet(0, 4)),
    arrive('r', k.packet(1, 20)),
    accept('p'),
    accept('r'),
    pass('r2', k.packet(1, 20)),
  ],
  'an answer while the request is held, answer confirmed first': (k) => [
    arrive('p', k.packet(0, 4)),
    arrive('r', k.packet(1, 20)),
    accept('r'),
    accept('p'),
    pass('p2', k.packet(0, 4)),
  ],
  'the winner was answered before the loser is confirmed': (k) => [
    arrive('p', k.packet(0, 4)),
    pass('q', k.packet(0, 20)),
    pass('r', k.packet(1, 20)),
    pass('q2', k.packet(0, 20)),
    accept('p'),
    pass('q3', k.packet(0, 20)),
  ],
  "a packet that joins delivers the winner's events": (k) => [
    arrive('p', k.packet(0, 4)),
    pass('q', k.packet(0, 20)),
    arrive('r', k.packet(1, 20)),
    accept('p'),
    accept('r'),
  ],
  'the first is dropped': (k) => [
    arrive('p', k.packet(0, 4)),
    arrive('q', k.packet(0, 20)),
    drop('p'),
    accept('q'),
  ],
  'the second is dropped': (k) => [
    arrive('p', k.packet(0, 4)),
    arrive('q', k.packet(0, 20)),
    accept('p'),
    drop('q'),
  ],
  'a flush does not touch an unconfirmed flow': (k) => [arrive('p', k.packet(0, 4)), FLUSH, accept('p')],
  'a flush takes the winner away': (k) => [
    arrive('p', k.packet(0, 4)),
    pass('q', k.packet(0, 20)),
    FLUSH,
    accept('p'),
  ],
  'a packet of a flushed flow passes': (k) => [
    pass('p', k.packet(0, 4)),
    arrive('q', k.packet(0, 20)),
    arrive('r', k.packet(1, 20)),
    FLUSH,
    accept('q'),
    accept('r'),
  ],
  'a packet of a flushed flow passes beside its successor': (k) => [
    pass('p', k.packet(0, 4)),
    arrive('q', k.packet(0, 20)),
    FLUSH,
    arrive('p2', k.packet(0, 4)),
    accept('q'),
    drop('p2'),
    pass('p3', k.packet(0, 4)),
  ],
  'a packet of a flushed flow is dropped beside its successor': (k) => [
    pass('p', k.packet(0, 4)),
    arrive('q', k.packet(0, 20)),
    FLUSH,
    arrive('p2', k.packet(0, 4)),
    drop('q'),
    accept('p2'),
  ],
  'events of a held packet go out with the next packet of its flow': (k) => [
    pass('p', k.packet(0, 4)),
    arrive('r', k.packet(1, 20)),
    pass('q', k.packet(0, 20)),
    accept('r'),
  ],
  'events of a dropped packet go out with the next packet of its flow': (k) => [
    pass('p', k.packet(0, 4)),
    arrive('r', k.packet(1, 20)),
    drop('r'),
    pass('q', k.packet(0, 20)),
  ],
  'a loser without counters adds nothing': (k) => [
    { op: 'sysctl', name: 'nf_conntrack_acct', value: 0 },
    arrive('p', k.packet(0, 4)),
    { op: 'sysctl', name: 'nf_conntrack_acct', value: 1 },
    pass('q', k.packet(0, 20)),
    accept('p'),
  ],
  'a winner without counters counts nothing': (k) => [
    arrive('p', k.packet(0, 4)),
    { op: 'sysctl', name: 'nf_conntrack_acct', value: 0 },
    pass('q', k.packet(0, 20)),
    { op: 'sysctl', name: 'nf_conntrack_acct', value: 1 },
    accept('p'),
  ],
};

/** Real time passes while packets are held. All of one kind, that two seconds mean something to: UDP. */
export const SLOW_SCRIPTS: Readonly<Record<string, (udp: Kind) => readonly Step[]>> = {
  'the timer of a flow starts when it is confirmed, its two seconds when it is made': (udp) => [
    arrive('p', udp.packet(0, 4)),
    { op: 'wait', ms: 2300 },
    accept('p'),
    pass('r', udp.packet(1, 20)),
    pass('q', udp.packet(0, 20)),
  ],
  'a packet that joins does not refresh the timer': (udp) => [
    arrive('p', udp.packet(0, 4)),
    pass('q', udp.packet(0, 20)),
    { op: 'wait', ms: 2300 },
    accept('p'),
  ],
};

/** Packets of few flows: of one kind, or of TCP or SCTP in any state. */
function source(dice: Dice): { readonly name: string; next(): Uint8Array } {
  const name = dice.pick(['kind', 'kind', 'tcp', 'tcp', 'sctp']);
  if (name === 'tcp') {
    const traffic = new TcpTraffic(dice, 1);
    return { name, next: () => traffic.next() };
  }
  if (name === 'sctp') {
    const traffic = new SctpTraffic(dice, 1);
    return { name, next: () => traffic.next() };
  }
  const kind = dice.pick(KINDS);
  return { name: kind.name, next: () => kind.packet(dice.pick([0, 1]), 4 * dice.below(8)) };
}

/** Packets arrive, are held or not, go on or are dropped in any order, and now and then the table is emptied. */
export function randomScript(dice: Dice): { readonly name: string; readonly steps: readonly Step[] } {
  const { name, next } = source(dice);
  const steps: Step[] = [];
  const held: string[] = [];
  const release = (): void => {
    const [packet] = held.splice(dice.below(held.length), 1);
    steps.push(dice.chance(80) ? accept(packet!) : drop(packet!));
  };
  for (let i = 0; i < 20; i++) {
    const packet = `${i}`;
    if (dice.chance(5)) steps.push(FLUSH);
    else if (held.length > 0 && dice.chance(35)) release();
    else if (dice.chance(40)) steps.push(pass(packet, next()));
    else {
      steps.push(arrive(packet, next()));
      held.push(packet);
    }
  }
  while (held.length > 0) release();
  return { name, steps };
}
