import { AF_INET6 } from '../packet/packet.ts';
import type { HookState } from '../rules/hook-state.ts';

/** An instruction of classic BPF (RFC 9669 section 1 names its origin; McCanne and Jacobson, 1993). */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LD = 0;
const LDX = 1;
const ST = 2;
const STX = 3;
const ALU = 4;
const JMP = 5;
const RET = 6;
const WORDS_OF_MEMORY = 16;
/** Offsets from here on are facts beside the packet (SKF_AD_OFF), or count from its headers (SKF_NET_OFF, SKF_LL_OFF). */
const AD_OFF = -0x1000;
const NET_OFF = -0x100000;
const LL_OFF = -0x200000;

/** Codes that Linux knows, by class. */
const CODES: ReadonlySet<number> = new Set([
  ...[0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x00, 0x60, 0x80],
  ...[0x01, 0x61, 0x81, 0xb1, 0x02, 0x03],
  ...[0x04, 0x14, 0x24, 0x34, 0x94, 0x44, 0x54, 0xa4, 0x64, 0x74, 0x84],
  ...[0x0c, 0x1c, 0x2c, 0x3c, 0x9c, 0x4c, 0x5c, 0xac, 0x6c, 0x7c],
  ...[0x05, 0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d],
  ...[0x06, 0x16, 0x07, 0x87],
]);

/** Whether the kernel would take the program: known codes, jumps within it, a return at its end. */
export function bpfIsValid(program: readonly BpfInstruction[]): boolean {
  const { length } = program;
  const last = program[length - 1];
  if (last === undefined || (last.code & 7) !== RET) return false;
  return program.every((insn, at) => {
    const { code, k, jt, jf } = insn;
    if (!CODES.has(code)) return false;
    const kind = code & 7;
    // Division by a constant 0, and shifts by more than a word has bits.
    if ((code === 0x34 || code === 0x94) && k === 0) return false;
    if ((code === 0x64 || code === 0x74) && k >>> 0 >= 32) return false;
    if (kind === ST || kind === STX || code === 0x60 || code === 0x61) return k >>> 0 < WORDS_OF_MEMORY;
    if (code === 0x05) return k >>> 0 < length - at - 1;
    return kind !== JMP || (at + jt + 1 < length && at + jf + 1 < length);
  });
}

/** Runs a program over a packet, from its network header on. */
export class BpfMachine {
  private readonly program: readonly BpfInstruction[];
  private readonly memory: Int32Array = new Int32Array(WORDS_OF_MEMORY);
  private a = 0;
  private x = 0;
  /** Set where the packet is too short: the result is 0. */
  private failed = false;

  constructor(program: readonly BpfInstruction[]) {
    this.program = program;
  }

  /** @returns what the program returns, 0 where it reads past the packet's end */
  run(state: HookState): number {
    this.a = 0;
    this.x = 0;
    this.failed = false;
    this.memory.fill(0);
    const { program } = this;
    for (let pc = 0; pc < program.length; pc++) {
      const insn = program[pc]!;
      switch (insn.code & 7) {
        case RET:
          return (insn.code & 0x18) === 0x10 ? this.a : insn.k;
        case JMP:
          pc += insn.code === 0x05 ? insn.k : this.holds(insn) ? insn.jt : insn.jf;
          break;
        default:
          this.step(insn, state);
      }
      if (this.failed) return 0;
    }
    return 0;
  }

  private step(insn: BpfInstruction, state: HookState): void {
    const { code, k } = insn;
    switch (code & 7) {
      case LD:
        this.a = this.load(code, k, state);
        break;
      case LDX:
        this.x = code === 0xb1 ? (this.read(state, k, 1) & 15) << 2 : this.load(code, k, state);
        break;
      case ST:
        this.memory[k] = this.a;
        break;
      case STX:
        this.memory[k] = this.x;
        break;
      case ALU:
        this.compute(code, (code & 8) === 0 ? k : this.x);
        break;
      default:
        if (code === 0x07) this.x = this.a;
        else this.a = this.x;
    }
  }

  private holds(insn: BpfInstruction): boolean {
    const operand = ((insn.code & 8) === 0 ? insn.k : this.x) >>> 0;
    const a = this.a >>> 0;
    switch (insn.code & 0xf0) {
      case 0x10:
        return a === operand;
      case 0x20:
        return a > operand;
      case 0x30:
        return a >= operand;
      default:
        return (a & operand) !== 0;
    }
  }

  private load(code: number, k: number, state: HookState): number {
    const size = (code & 0x18) === 0 ? 4 : (code & 0x18) === 8 ? 2 : 1;
    switch (code & 0xe0) {
      case 0x00:
        return k;
      case 0x20:
        return this.read(state, k, size);
      case 0x40:
        return this.read(state, (this.x + k) | 0, size);
      case 0x60:
        return this.memory[k]!;
      default:
        return state.pkt.end - state.pkt.off;
    }
  }

  /** @param k from the network header; negative ones as SKF_* say */
  private read(state: HookState, k: number, size: number): number {
    const { pkt } = state;
    if (k < 0 && k >= AD_OFF) return this.fact(state, k - AD_OFF);
    let at = pkt.off + k;
    if (k < 0)
      at = k >= NET_OFF ? pkt.off + k - NET_OFF : pkt.mac < 0 || k < LL_OFF ? -1 : pkt.mac + k - LL_OFF;
    if (at < 0 || at + size > pkt.end) {
      this.failed = true;
      return 0;
    }
    return size === 4 ? pkt.view.getInt32(at) : size === 2 ? pkt.view.getUint16(at) : pkt.view.getUint8(at);
  }

  private fact(state: HookState, which: number): number {
    const { pkt } = state;
    switch (which) {
      case 0:
        return pkt.family === AF_INET6 ? 0x86dd : 0x0800;
      case 4:
        return pkt.pkttype;
      case 8:
        return pkt.ifin;
      case 20:
        return pkt.mark;
      default:
        return 0;
    }
  }

  private compute(code: number, operand: number): void {
    const a = this.a >>> 0;
    const b = operand >>> 0;
    switch (code & 0xf0) {
      case 0x00:
        this.a = (this.a + operand) | 0;
        break;
      case 0x10:
        this.a = (this.a - operand) | 0;
        break;
      case 0x20:
        this.a = Math.imul(this.a, operand);
        break;
      case 0x30:
      case 0x90:
        this.failed = b === 0;
        if (b !== 0) this.a = ((code & 0xf0) === 0x30 ? Math.floor(a / b) : a % b) | 0;
        break;
      case 0x40:
        this.a |= operand;
        break;
      case 0x50:
        this.a &= operand;
        break;
      case 0x60:
        this.a <<= operand & 31;
        break;
      case 0x70:
        this.a = (a >>> (operand & 31)) | 0;
        break;
      case 0x80:
        this.a = -this.a | 0;
        break;
      default:
        this.a ^= operand;
    }
  }
}
