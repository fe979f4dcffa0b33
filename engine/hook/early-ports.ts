import { ETH_P_IP, ETHERNET_HEADER } from '../packet/ethernet.ts';
import { IPV4_HEADER } from '../packet/ipv4.ts';
import { DLT_EN10MB, DLT_RAW } from '../packet/link.ts';
import type { Packet } from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import type { Rule } from '../rules/chain.ts';
import type { Expr } from '../rules/expr.ts';
import { CmpExpr, NFT_CMP_EQ } from '../rules/expr-cmp.ts';
import { MetaExpr } from '../rules/expr-meta.ts';
import { NFT_PAYLOAD_TRANSPORT_HEADER, PayloadExpr } from '../rules/expr-payload.ts';
import { NFT_RANGE_EQ, RangeExpr } from '../rules/expr-range.ts';
import { NFT_META_L4PROTO } from '../rules/meta-keys.ts';
import { NF_ACCEPT } from '../rules/verdict.ts';
import type { HookEntry } from './hooks.ts';

/** Bits of protocols. */
const TCP = 1;
const UDP = 2;
/** Words of 32 ports each that a protocol's part of {@link EarlyPorts}' table has. */
const PART = 0x10000 >> 5;

/** Ports from the first to the last one. */
type Ports = readonly [number, number];
const ALL_PORTS: Ports = [0, 0xffff];

/**
 * What chains ask for that see packets before they are tracked. Nearly all that people have there are rules that give
 * helpers or switch tracking off for packets to some port: all other plain packets may be tracked at once.
 */
export class EarlyPorts {
  /** A bit for each port that a rule may match, of TCP, then of UDP: a small table stays in the first-level cache. */
  private readonly ports: Int32Array = new Int32Array(2 * PART);
  /** Whether a rule may match packets of other protocols. */
  readonly asksOthers: boolean;

  private constructor(asked: readonly Asked[]) {
    this.asksOthers = asked.some(({ protocols }) => protocols !== TCP && protocols !== UDP);
    for (const { protocols, ports } of asked) {
      if ((protocols & TCP) !== 0) this.add(0, ports);
      if ((protocols & UDP) !== 0) this.add(PART, ports);
    }
  }

  private add(part: number, [from, to]: Ports): void {
    for (let port = from; port <= to; port++) this.ports[part + (port >>> 5)]! |= 1 << (port & 31);
  }

  /**
   * @param entries chains that come before tracking
   * @returns null if they ask for anything else, or do not accept what they have no rule for
   */
  static of(entries: readonly HookEntry[]): EarlyPorts | null {
    const all: Asked[] = [];
    for (const { chain } of entries) {
      if (chain === null || chain.base!.policy !== NF_ACCEPT) return null;
      for (const rule of chain.rules) {
        const asked = askedOf(rule);
        if (asked === null) return null;
        all.push(asked);
      }
    }
    return new EarlyPorts(all);
  }

  /**
   * Whether a rule may match a packet, if it is plain TCP or UDP over IPv4; of all others it says nothing.
   * @param pkt at its frame
   */
  mayMatch(pkt: Packet, linktype: number): boolean {
    const { view, off } = pkt;
    const isEthernet = linktype === DLT_EN10MB;
    if (!isEthernet && linktype !== DLT_RAW) return true;
    const ip = isEthernet ? off + ETHERNET_HEADER : off;
    if (ip + IPV4_HEADER + 4 > pkt.end || (isEthernet && view.getUint16(off + 12) !== ETH_P_IP)) return true;
    const part = view.getUint8(ip + 9) === IPPROTO_TCP ? 0 : PART;
    const port = view.getUint16(ip + IPV4_HEADER + 2);
    return (this.ports[part + (port >>> 5)]! & (1 << (port & 31))) !== 0;
  }
}

/** What a rule asks for before it does anything: bits of protocols, and the destination's port. */
interface Asked {
  readonly protocols: number;
  readonly ports: Ports;
}

/** Null if it need not ask for any port. */
function askedOf({ exprs }: Rule): Asked | null {
  let protocols = TCP | UDP;
  let ports: Ports | null = null;
  for (let i = 0; i + 1 < exprs.length && ports === null; i += 2) {
    const [what, test] = [exprs[i]!, exprs[i + 1]!];
    if (isProtocol(what) && test instanceof CmpExpr && test.op === NFT_CMP_EQ) {
      const number = test.data[0];
      protocols &= number === IPPROTO_TCP ? TCP : number === IPPROTO_UDP ? UDP : 0;
      if (protocols === 0) ports = ALL_PORTS;
    } else if (isPort(what)) ports = portsOf(test);
    else if (!(what instanceof MetaExpr) || !(test instanceof CmpExpr)) return null;
  }
  return ports === null ? null : { protocols, ports };
}

function isProtocol(expr: Expr): boolean {
  return expr instanceof MetaExpr && expr.key === NFT_META_L4PROTO;
}

/** Whether an expression reads the destination port of TCP or UDP. */
function isPort(expr: Expr): boolean {
  return (
    expr instanceof PayloadExpr &&
    expr.base === NFT_PAYLOAD_TRANSPORT_HEADER &&
    expr.offset === 2 &&
    expr.len === 2
  );
}

function portsOf(test: Expr): Ports {
  if (test instanceof CmpExpr && test.op === NFT_CMP_EQ) return [portIn(test.data), portIn(test.data)];
  if (test instanceof RangeExpr && test.op === NFT_RANGE_EQ) return [portIn(test.from), portIn(test.to)];
  return ALL_PORTS;
}

function portIn(data: Uint8Array): number {
  return (data[0]! << 8) | data[1]!;
}
