import { describe, expect, test } from 'vitest';
import { Packet, resetPacket } from '../packet/packet.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type BpfInstruction, BpfMachine, bpfIsValid } from './bpf-program.ts';

function program(text: string): BpfInstruction[] {
  return text.split(',').map((word) => {
    const [code, jt, jf, k] = word.split(' ').map(Number) as [number, number, number, number];
    return { code, jt, jf, k: k | 0 };
  });
}

/** What a program says of bytes. */
function run(text: string, bytes: readonly number[]): number {
  const pkt = new Packet();
  const data = Uint8Array.from(bytes);
  resetPacket(pkt, data, new DataView(data.buffer), 0, data.length);
  return new BpfMachine(program(text)).run({ pkt } as HookState);
}

describe('classic BPF', () => {
  test('compares a byte of the packet and returns what the program says', () => {
    const isTcp = '48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0';
    const header = [0x45, 0, 0, 20, 0, 0, 0, 0, 64];
    expect(run(isTcp, [...header, 6])).toBe(1);
    expect(run(isTcp, [...header, 17])).toBe(0);
  });

  test('reading past the end of the packet gives 0', () => {
    expect(run('32 0 0 2,6 0 0 5', [1, 2, 3, 4])).toBe(0);
    expect(run('32 0 0 0,6 0 0 5', [1, 2, 3, 4])).toBe(5);
  });

  test('counts the header length of IPv4 into x and reads from there', () => {
    // ldxb 4*([0]&0xf); ldh [x+0]; ret a
    expect(run('177 0 0 0,72 0 0 0,22 0 0 0', [0x41, 0, 0, 0, 0x12, 0x34])).toBe(0x1234);
  });

  test('calculates without signs: shifts, division, remainder', () => {
    // ld 0xffffffff; rsh 28; ret a
    expect(run('0 0 0 4294967295,116 0 0 28,22 0 0 0', [])).toBe(15);
    expect(run('0 0 0 4294967295,52 0 0 16,22 0 0 0', [])).toBe(0x0fffffff);
    expect(run('0 0 0 4294967295,148 0 0 16,22 0 0 0', [])).toBe(15);
  });

  test('keeps words in its memory', () => {
    expect(run('0 0 0 7,2 0 0 3,0 0 0 1,96 0 0 3,22 0 0 0', [])).toBe(7);
  });

  test.each([
    ['7 0 0 0', 'no return at the end'],
    ['5 0 0 1,6 0 0 0', 'a jump past the end'],
    ['255 0 0 0,6 0 0 0', 'an unknown code'],
    ['52 0 0 0,6 0 0 0', 'a division by 0'],
    ['2 0 0 16,6 0 0 0', 'memory that is not there'],
    ['21 0 1 6,6 0 0 1', 'a branch past the end'],
  ])('refuses %s: %s', (text) => {
    expect(bpfIsValid(program(text))).toBe(false);
  });
});
