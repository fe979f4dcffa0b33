import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialogue } from './dialogue.ts';
import { ACK, FIN, RST, type TcpTalk } from './dialogue-tcp.ts';
import * as P from './helper-pptp-messages.ts';
import { differences, many, SEED } from './helper-run.ts';
import { Chance, type Ends, endsOf, helperRules, NATS, type Nat, openTalk } from './helper-scene.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

const COUNT = 20;
const STEPS = 12;
/** Call ids of client and server. */
const OWN = 0x1111;
const PEER = 0x2222;

/** A control connection and the call's GRE packets. */
class Call {
  readonly talk: TcpTalk;
  readonly ends: Ends;
  /** The client's call id as the server sees it. */
  readonly outer: number;
  private readonly nat: Nat;

  constructor(nat: Nat, client = 1, sport = 4000) {
    this.nat = nat;
    this.ends = endsOf(nat, 1723, client, sport);
    this.talk = openTalk(this.ends);
    this.outer = nat === 'none' ? OWN : sport;
  }

  start(): this {
    this.talk.say(0, P.startRequest()).say(1, P.startReply());
    return this;
  }

  outgoing(): this {
    this.talk.say(0, P.outgoingRequest(OWN)).say(1, P.outgoingReply(PEER, this.outer));
    return this;
  }

  gre(end: 0 | 1, key: number = end === 0 ? PEER : this.outer): this {
    const { from, src, dst } = end === 0 ? this.ends.client : this.ends.server;
    this.talk.packets.push({ from, bytes: P.grePacket(src, dst, key) });
    return this;
  }

  dialogue(): Dialogue {
    return { sources: [helperRules('pptp', 'tcp', [1723], this.nat)], packets: this.talk.packets };
  }
}

type Step = (call: Call, chance: Chance) => void;

const own = (chance: Chance): number => chance.of([OWN, OWN, OWN, 0x3333, 0]);
const peer = (chance: Chance): number => chance.of([PEER, PEER, PEER, 0x4444, 0]);
const outer = (call: Call, chance: Chance): number =>
  chance.of([call.outer, call.outer, call.outer, OWN, 0x3333]);

/** What may happen on a control connection; the likelier stand there twice. */
const ANY_STEP: readonly Step[] = [
  ({ talk }) => talk.say(0, P.startRequest()),
  ({ talk }, c) => talk.say(1, P.startReply(c.of([1, 1, 2]))),
  ({ talk }) => talk.say(0, P.stopRequest()),
  ({ talk }, c) => talk.say(1, P.stopReply(c.of([1, 2]))),
  (call) => call.outgoing(),
  (call) => call.outgoing(),
  ({ talk }, c) => talk.say(0, P.outgoingRequest(own(c))),
  (call, c) => call.talk.say(1, P.outgoingReply(peer(c), outer(call, c), c.of([1, 1, 1, 2]))),
  (call, c) => call.talk.say(1, P.outgoingReply(peer(c), outer(call, c), c.of([1, 1, 1, 2]))),
  ({ talk }, c) => {
    talk.say(1, P.incomingRequest(peer(c))).say(0, P.incomingReply(own(c), PEER));
    talk.say(1, P.incomingConnected(OWN));
  },
  ({ talk }, c) => talk.say(0, P.incomingReply(own(c), peer(c), c.of([1, 1, 2]))),
  (call, c) => call.talk.say(1, P.incomingConnected(outer(call, c))),
  ({ talk }, c) => talk.say(0, P.clearRequest(own(c))),
  ({ talk }, c) => talk.say(c.of([0, 1, 1]), P.disconnectNotify(peer(c))),
  (call, c) => call.talk.say(1, P.wanError(outer(call, c))),
  (call, c) => call.talk.say(c.of([0, 1]), P.linkInfo(c.of([call.outer, PEER]))),
  (call, c) => call.talk.say(c.of([0, 1]), damaged(call, c)),
  (call, c) => call.gre(0, c.of([PEER, PEER, 0x4444, 0])),
  (call, c) => call.gre(0, c.of([PEER, PEER, 0x4444, 0])),
  (call, c) => call.gre(1, outer(call, c)),
  (call, c) => call.gre(1, outer(call, c)),
];

function damaged(call: Call, chance: Chance): Uint8Array {
  const type = chance.of([0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  const words = type === 0 || type === 16 ? {} : { 12: own(chance), 14: outer(call, chance) };
  const message = P.control(type, { words });
  return chance.below(2) === 0
    ? message.subarray(0, message.length - chance.below(4))
    : chance.damage(message, 1);
}

function madTalk(seed: number, nat: Nat): Dialogue {
  const chance = new Chance(seed);
  const call = new Call(nat);
  if (chance.below(5) > 0) call.start();
  for (let i = 0; i < STEPS; i++) chance.of(ANY_STEP)(call, chance);
  return call.dialogue();
}

describe.skipIf(!rulesUsable())('pptp', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(NATS)(
    'control messages in any order, and GRE between them (%s)',
    { timeout: 120_000 },
    async (nat) => {
      const dialogues = many(COUNT, (i) => madTalk(SEED * 1000 + i, nat));
      expect(await differences(kernel, dialogues)).toEqual([]);
    },
  );

  test.each(NATS)('a call with either side first, and its end (%s)', async (nat) => {
    const order: readonly (0 | 1)[][] = [
      [0, 1, 0, 1],
      [1, 0, 1, 0],
    ];
    const dialogues = order.map((ends) => {
      const call = new Call(nat).start().outgoing();
      for (const end of ends) call.gre(end);
      call.talk.say(0, P.clearRequest(OWN)).say(1, P.disconnectNotify(PEER));
      return call.gre(0).gre(1).dialogue();
    });
    expect(await differences(kernel, dialogues)).toEqual([]);
  });

  test('the control connection takes its call ids with it', async () => {
    const reset = new Call('none').start().outgoing();
    reset.talk.send(0, RST);
    const closed = new Call('snat').start().outgoing();
    closed.talk
      .send(0, FIN | ACK)
      .send(1, FIN | ACK)
      .ack(0);
    const dialogues = [reset, closed].map((call) => call.gre(0).gre(1).dialogue());
    expect(await differences(kernel, dialogues)).toEqual([]);
  });

  test.each(NATS)('ICMP errors that quote a packet of a call (%s)', async (nat) => {
    const call = new Call(nat).start().outgoing().gre(0).gre(1);
    const { client, server } = call.ends;
    const sent = P.grePacket(server.dst, server.src, PEER);
    const other = P.grePacket(server.dst, server.src, 0x3333);
    const got = P.grePacket(client.dst, client.src, OWN);
    const { packets } = call.talk;
    packets.push({ from: server.from, bytes: P.unreachable(server.src, server.dst, sent) });
    packets.push({ from: client.from, bytes: P.unreachable(client.src, client.dst, got) });
    packets.push({ from: server.from, bytes: P.unreachable('9.9.9.9', server.dst, sent.subarray(0, 28)) });
    packets.push({ from: server.from, bytes: P.unreachable('9.9.9.9', server.dst, other) });
    expect(await differences(kernel, [call.dialogue()])).toEqual([]);
  });

  test.each(NATS)('two clients with the same call id (%s)', async (nat) => {
    const calls = [new Call(nat, 1, 4000), new Call(nat, 2, 4001)];
    for (const call of calls) call.start().outgoing();
    for (const call of calls) call.gre(0).gre(1).gre(0);
    const packets = calls.flatMap(({ talk }) => talk.packets);
    const sources = [helperRules('pptp', 'tcp', [1723], nat)];
    expect(await differences(kernel, [{ sources, packets }])).toEqual([]);
  });

  test.each(['none', 'snat'] as const)(
    'messages cut in two anywhere are not read (%s)',
    { timeout: 120_000 },
    async (nat) => {
      const dialogues = Array.from({ length: 31 }, (_, i): Dialogue => {
        const call = new Call(nat).start();
        const reply = P.outgoingReply(PEER, call.outer);
        const request = P.outgoingRequest(OWN);
        call.talk.say(0, request.subarray(0, i * 5 + 1)).say(0, request.subarray(i * 5 + 1));
        call.talk
          .say(0, request)
          .say(1, reply.subarray(0, i + 1))
          .say(1, reply.subarray(i + 1));
        return call.gre(0).dialogue();
      });
      expect(await differences(kernel, dialogues)).toEqual([]);
    },
  );
});
