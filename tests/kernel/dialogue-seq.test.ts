/** TCP behind changes of length: shifted numbers, acknowledgements and SACK blocks, and the windows around them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { reportDialogue } from './dialogue.ts';
import { SCENES } from './dialogue-ftp.ts';
import { LiveDialogue, LiveTcp, type Side } from './dialogue-live.ts';
import { ACK, FIN, PSH, RST, SYN, tcpPacket } from './dialogue-tcp.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

const DIALOGUES = 8;
const SEGMENTS = 40;
const SCENE_NAMES = ['IPv4 behind source translation', 'IPv6 behind source translation'];

function word(value: number): readonly number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

/** TCP options: SACK blocks near a number, timestamps, or nonsense. */
function options(dice: Dice, near: number): readonly number[] {
  const block = (): readonly number[] => {
    const left = (near + dice.between(-60, 60)) | 0;
    return [...word(left), ...word((left + dice.below(30)) | 0)];
  };
  switch (dice.below(8)) {
    case 0:
      return [1, 1, 5, 10, ...block()];
    case 1:
      return [1, 1, 5, 18, ...block(), ...block()];
    case 2:
      return [1, 1, 8, 10, ...word(1), ...word(2)];
    case 3:
      return [1, 1, 8, 10, ...word(1), ...word(2), 1, 1, 5, 10, ...block()];
    case 4:
      return [5, dice.below(20), 1, 1, ...block()];
    case 5:
      return [0, 0, 0, 0];
    default:
      return [];
  }
}

/** One side's numbers: where its lines began, and where it is now. */
interface Numbers {
  readonly side: Side;
  readonly places: readonly number[];
}

/** Segments around the places where the length changed. */
function stray(dialogue: LiveDialogue, dice: Dice, own: Numbers, heard: readonly number[]): void {
  const { src, sport, dst, dport, from } = own.side;
  const near = (places: readonly number[]): number =>
    (dice.pick(places) + dice.pick([-1, 0, 0, 1, 9, -30])) >>> 0;
  const flags = dice.pick([ACK, ACK, ACK, PSH | ACK, FIN | ACK, RST | ACK, RST, SYN, SYN | ACK, FIN]);
  const ack = dice.below(12) === 0 ? 0 : near(heard);
  const payload = dice.pick(['', '', 'x', 'some more\r\n']);
  const segment = {
    flags,
    seq: near(own.places),
    ack,
    payload,
    options: options(dice, ack),
    window: dice.pick([8192, 0, 100]),
  };
  dialogue.send(from, tcpPacket(src, sport, dst, dport, segment));
}

/** Whether there is the client's connection and no other. */
function isAlone(dialogue: LiveDialogue, { src, sport }: Side): boolean {
  const lines = [...dialogue.run.tables().flows.keys()];
  return lines.length === 1 && lines[0]!.includes(` ${src} > `) && lines[0]!.includes(` ${sport}/21/0/0 | `);
}

/** A connection on which the client announced ports, so that what it says was made longer or shorter. */
function shifted(name: string, dice: Dice): LiveDialogue {
  const scene = SCENES.find((one) => one.name === name)!;
  const dialogue = new LiveDialogue(scene.sources);
  const start = dice.pick([1000, 0xfffffff0]);
  const control = new LiveTcp(dialogue, scene.client(0), scene.serverFrom, [start, 70_000]);
  control.open(dice.below(3) === 0 ? [] : [2, 4, 5, 0xb4, 1, 1, 4, 2]);
  control.say(1, '220 ready\r\n');
  control.say(0, 'USER x\r\n');
  const places: number[] = [control.next(0)];
  const heard: number[] = [];
  const client = control.side(0)!;
  for (let i = 0; i < dice.between(1, 3); i++) {
    const text = scene.v6
      ? `EPRT |2|${client.src}|${3000 + i}|\r\n`
      : dice.pick([
          `EPRT |1|${client.src}|${3000 + i}|\r\n`,
          `PORT ${client.src.replaceAll('.', ',')},20,${i}\r\n`,
        ]);
    control.say(0, text);
    places.push(control.next(0));
    if (dice.below(2) === 0) control.send(1, ACK);
    heard.push(control.heard(1));
  }
  const [a, b] = [control.side(0)!, control.side(1)!];
  // Once the connection is gone a stray segment of the server may open another one, and take the client's port, so that
  // the client then gets one at random.
  for (let i = 0; i < SEGMENTS && isAlone(dialogue, client); i++)
    if (dice.below(2) === 0) stray(dialogue, dice, { side: a, places }, [control.next(1)]);
    else stray(dialogue, dice, { side: b, places: [control.next(1)] }, heard);
  return dialogue;
}

describe.skipIf(!rulesUsable())('numbers behind a change of length', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  }, 60_000);
  afterAll(async () => {
    await kernel.close();
  });

  test.each(SCENE_NAMES)(
    '%s: stray segments go as in the kernel',
    async (name) => {
      for (let seed = 1; seed <= DIALOGUES; seed++)
        expect(await reportDialogue(kernel, shifted(name, new Dice(seed)))).toBe(null);
    },
    60_000,
  );
});
