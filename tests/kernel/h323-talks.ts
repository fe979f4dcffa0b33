/** Generated H.323 calls and registrations, with the flows that they tell of. */
import { T_DST, T_KIND, T_PORTS, T_SRC } from '../../engine/conntrack/tuple.ts';
import { ipv4Text, ipv6Text } from '../../engine/packet/address.ts';
import { AF_INET } from '../../engine/packet/packet.ts';
import type { Dice } from '../traffic/dice.ts';
import { LiveDialogue, LiveTcp, liveUdp, type Side } from './dialogue-live.ts';
import type { Plain } from './h323-encode.ts';
import * as M from './h323-messages.ts';
import type { H323Scene } from './h323-scenes.ts';

/** One end of a call, and the ports that are its own: no two calls wish for the same. */
interface Speaker {
  readonly dice: Dice;
  readonly side: Side;
  readonly others: readonly string[];
  readonly ports: number;
}

/** Mostly the speaker's own address. */
function address({ dice, side, others }: Speaker): string {
  return dice.chance(80) ? side.src : dice.pick([side.dst, ...others]);
}

function port({ dice, side, ports }: Speaker): number {
  const own = ports + dice.below(12);
  return dice.chance(92) ? own : dice.pick([side.sport, side.dport, 0, 1720, 65534]);
}

const transport = (s: Speaker): Plain => M.transport(address(s), port(s));
const channel = (s: Speaker): Plain => M.channel(address(s), port(s) + 20);

function media(s: Speaker): Plain {
  const { dice } = s;
  return M.h2250(dice.chance(85) ? channel(s) : null, dice.chance(70) ? channel(s) : null);
}

/** Fields that are sometimes there. */
function sometimes(dice: Dice, percent: number, fields: () => Record<string, Plain>): Record<string, Plain> {
  return dice.chance(percent) ? fields() : {};
}

function stack(s: Speaker): Record<string, Plain> {
  const networkAddress = { localAreaAddress: channel(s) };
  return sometimes(s.dice, 15, () => ({ separateStack: { networkAddress, associateConference: false } }));
}

function openChannel(s: Speaker): Plain {
  const { dice } = s;
  const open = M.openChannel(dice.chance(85) ? media(s) : null, dice.chance(30) ? media(s) : null, stack(s));
  if (!dice.chance(15)) return open;
  const protocol: Plain = dice.chance(70) ? { separateLANStack: true } : { transparent: true };
  return { ...(open as object), forward: M.dataChannel(protocol, media(s)), ...stack(s) };
}

function h245(s: Speaker): Uint8Array {
  const { dice } = s;
  if (dice.chance(55)) return M.h245('request', 'openLogicalChannel', openChannel(s));
  if (dice.chance(85)) {
    const ack = M.openAck(dice.chance(80) ? media(s) : null, dice.chance(30) ? media(s) : null, stack(s));
    return M.h245('response', 'openLogicalChannelAck', ack);
  }
  return M.h245('request', 'masterSlaveDetermination', {});
}

function items<T>(dice: Dice, most: number, make: () => T): T[] {
  return Array.from({ length: dice.below(most + 1) }, make);
}

/** A message of call signalling. */
function signal(s: Speaker): Uint8Array {
  const { dice } = s;
  const kinds = ['setup', 'callProceeding', 'alerting', 'connect', 'facility', 'progress', 'empty'];
  const kind = dice.pick([...kinds, 'information', 'releaseComplete']);
  const isTelling = !['empty', 'information', 'releaseComplete'].includes(kind);
  const fields: Record<string, Plain> = isTelling
    ? {
        ...sometimes(dice, 60, () => ({ h245Address: transport(s) })),
        ...sometimes(dice, 40, () => ({ fastStart: items(dice, 3, () => openChannel(s)) })),
      }
    : {};
  if (kind === 'setup') {
    Object.assign(
      fields,
      sometimes(dice, 50, () => ({ sourceCallSignalAddress: transport(s) })),
    );
    Object.assign(
      fields,
      sometimes(dice, 50, () => ({ destCallSignalAddress: transport(s) })),
    );
  }
  if (kind === 'facility' && dice.chance(40)) {
    fields.reason = { callForwarded: true };
    if (dice.chance(85)) fields.alternativeAddress = transport(s);
  }
  const pdu = sometimes(dice, 50, () => ({
    h245Tunnelling: dice.chance(80),
    h245Control: items(dice, 5, () => h245(s)),
  }));
  return M.call(kind, fields, pdu);
}

/** One RAS message. */
function rasMessage(s: Speaker): Uint8Array {
  const { dice } = s;
  const list = (): Plain => items(dice, 2, () => transport(s));
  const ras = (): Plain => M.transport(address(s), dice.chance(80) ? s.side.sport : port(s));
  const life = (): Record<string, Plain> =>
    sometimes(dice, 50, () => ({ timeToLive: dice.between(10, 70000), keepAlive: Uint8Array.of(0x80) }));
  const kinds: Readonly<Record<string, () => Record<string, Plain>>> = {
    gatekeeperRequest: () => ({ rasAddress: ras() }),
    gatekeeperConfirm: () => ({ rasAddress: ras() }),
    registrationRequest: () => ({ callSignalAddress: list(), rasAddress: [ras(), ras()], ...life() }),
    registrationConfirm: () => ({ callSignalAddress: list(), ...life() }),
    unregistrationRequest: () => ({ callSignalAddress: list() }),
    admissionRequest: () => ({
      ...sometimes(dice, 60, () => ({ destCallSignalAddress: transport(s) })),
      ...sometimes(dice, 60, () => ({ srcCallSignalAddress: transport(s) })),
    }),
    admissionConfirm: () => ({ destCallSignalAddress: transport(s) }),
    locationRequest: () => ({ replyAddress: ras() }),
    locationConfirm: () => ({ callSignalAddress: transport(s), rasAddress: ras() }),
    infoRequestResponse: () => ({ rasAddress: ras(), callSignalAddress: list() }),
  };
  const kind = dice.pick(Object.keys(kinds));
  return M.ras(kind, kinds[kind]!());
}

/** Whole segments, several messages in one, or a header in a segment of its own. */
function say(dice: Dice, tcp: LiveTcp, end: 0 | 1, messages: readonly Uint8Array[]): void {
  const bytes = Buffer.concat(messages);
  if (!dice.chance(12)) tcp.say(end, bytes);
  else {
    const at = dice.chance(60) ? 4 : dice.below(bytes.length);
    tcp.say(end, bytes.subarray(0, at));
    tcp.say(end, bytes.subarray(at));
  }
}

const isInside = (ip: string): boolean => /^(192\.168\.|10\.|fd)/.test(ip);

/** Opens one of the flows that keepstate expects now. @returns the connection, null for another protocol */
function follow(dice: Dice, dialogue: LiveDialogue, n: number): LiveTcp | null {
  const { conntrack } = dialogue.run.run.firewall;
  const all = conntrack.expectations.all();
  if (all.length === 0) return null;
  const { tuple } = dice.pick(all);
  const isIpv4 = tuple[T_KIND]! >>> 8 === AF_INET;
  const text = (word: number): string => {
    const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((i) => (isIpv4 ? 0 : conntrack.pool.word(word, i)));
    return isIpv4 ? ipv4Text(word) : ipv6Text(a, b, c, d);
  };
  const [src, dst] = [text(tuple[T_SRC]!), text(tuple[T_DST]!)];
  // These never reach conntrack.
  if (/^(127\.|0\.|::1?$)/.test(dst)) return null;
  const from = isInside(src) ? 'eth1' : 'eth0';
  const side: Side = { from, src, sport: 30000 + n, dst, dport: tuple[T_PORTS]! & 0xffff };
  if ((tuple[T_KIND]! & 255) === 17) {
    liveUdp(dialogue, side, 'rtp');
    return null;
  }
  const tcp = new LiveTcp(dialogue, side, from === 'eth0' ? 'eth1' : 'eth0', [n, 2 * n]);
  return tcp.open() ? tcp : null;
}

function speaker(dice: Dice, scene: H323Scene, side: Side | null, ports: number): Speaker | null {
  return side === null ? null : { dice, side, others: scene.others, ports };
}

/** Calls through a scene, some at a time, and connections for H.245 that follow. */
export function callDialogue(dice: Dice, scene: H323Scene): LiveDialogue {
  const dialogue = new LiveDialogue(scene.sources);
  const calls: { readonly tcp: LiveTcp; readonly ports: number; readonly isControl: boolean }[] = [];
  for (let n = 0; n < dice.between(1, 2); n++) {
    const tcp = new LiveTcp(dialogue, scene.client(n, 1720), scene.serverFrom, [1000, 5000]);
    if (tcp.open()) calls.push({ tcp, ports: 5000 + 100 * n, isControl: false });
  }
  for (let n = dice.between(3, 10); n > 0 && calls.length > 0; n--) {
    if (dice.chance(30)) {
      const tcp = follow(dice, dialogue, n);
      if (tcp !== null) calls.push({ tcp, ports: 8000 + 100 * n, isControl: true });
      continue;
    }
    const { tcp, ports, isControl } = dice.pick(calls);
    const end = dice.chance(60) ? 0 : 1;
    const s = speaker(dice, scene, tcp.side(end), ports + end * 40);
    if (s === null) continue;
    const one = (): Uint8Array => (isControl ? M.tpkt(h245(s)) : signal(s));
    say(dice, tcp, end, dice.chance(15) ? [one(), one()] : [one()]);
  }
  return dialogue;
}

/** An endpoint and its gatekeeper, and the calls that they arrange. */
export function rasDialogue(dice: Dice, scene: H323Scene): LiveDialogue {
  const dialogue = new LiveDialogue(scene.sources);
  const sides: [Side, Side | null] = [scene.client(0, 1719), null];
  for (let n = dice.between(3, 12); n > 0; n--) {
    const end = dice.chance(55) ? 0 : 1;
    const s = speaker(dice, scene, sides[end], 5000 + end * 40);
    if (s === null) continue;
    const [came] = liveUdp(dialogue, s.side, rasMessage(s));
    if (end === 0 && came !== undefined)
      sides[1] = {
        from: scene.serverFrom,
        src: came.dst,
        sport: came.dport,
        dst: came.src,
        dport: came.sport,
      };
    if (dice.chance(20)) follow(dice, dialogue, n);
  }
  return dialogue;
}
