import type { ServiceProtocol } from '../nft/type-services.ts';
import type { Expr } from '../rules/expr.ts';
import { CmpExpr, NFT_CMP_EQ, NFT_CMP_GT, NFT_CMP_LTE, NFT_CMP_NEQ } from '../rules/expr-cmp.ts';
import { NFT_PAYLOAD_TRANSPORT_HEADER, PayloadExpr } from '../rules/expr-payload.ts';
import { NFT_RANGE_EQ, NFT_RANGE_NEQ, RangeExpr } from '../rules/expr-range.ts';
import type { XtArg, XtContext, XtOption } from './extension.ts';
import { portRangeText, readLooseRange, readPortRange } from './ports.ts';

/** A test of a port: from, to, both included. */
export interface PortTest {
  range: [number, number];
  inverted: boolean;
}

/** The two port tests of tcp, udp, sctp, dccp. */
export interface PortTests {
  sport: PortTest;
  dport: PortTest;
}

const ANY_LAST = 65535;

/** Tests that any port passes. */
export function anyPorts(): PortTests {
  return {
    sport: { range: [0, ANY_LAST], inverted: false },
    dport: { range: [0, ANY_LAST], inverted: false },
  };
}

/**
 * What iptables-nft lists of the tests of two matches in a rule. Measured: the kernel has both, the listing the last one,
 * negated if either is.
 */
function mergePorts(first: PortTest, second: PortTest): PortTest {
  if (isAny(second)) return first;
  if (isAny(first)) return second;
  // `! 0:100` is "greater than 100" in the kernel, which is no negation.
  const sticks = first.inverted && (first.range[0] > 0 || first.range[1] === 0);
  return { range: second.range, inverted: second.inverted || sticks };
}

/** A match of tcp or udp that may stand for several in iptables-nft. */
interface Joinable<T> extends PortTests {
  /** All of them, null if it is alone. */
  all: readonly T[] | null;
}

/** Takes the next match of its kind in a rule into the first: all are run, one is listed ({@link mergePorts}). */
export function joinMatches<T extends Joinable<T>>(spec: T, next: T): void {
  spec.all = [...(spec.all ?? [{ ...spec }]), next];
  spec.sport = mergePorts(spec.sport, next.sport);
  spec.dport = mergePorts(spec.dport, next.dport);
}

/** Whether a test is passed by every port. */
export function isAny(test: PortTest): boolean {
  return test.range[0] === 0 && test.range[1] === ANY_LAST;
}

/**
 * The options --source-port and --destination-port with their short names.
 * @param protocol whose services may be named; undefined for the looser way of udp and dccp
 * @param doubled what the real tool says if an option is given twice; its usual words if left out
 */
export function portOptions<S extends PortTests>(
  protocol: ServiceProtocol | undefined,
  doubled?: (name: string) => string,
): XtOption<S>[] {
  const option = (name: string, short: string, side: 'sport' | 'dport'): XtOption<S> => ({
    name,
    aliases: [short],
    invert: true,
    ...(doubled === undefined ? {} : { doubled: doubled(name) }),
    parse(spec: S, arg: XtArg): void {
      const range = protocol === undefined ? readLooseRange(arg.text) : readPortRange(arg.text, protocol);
      spec[side] = { range, inverted: arg.inverted };
    },
  });
  return [option('source-port', 'sport', 'sport'), option('destination-port', 'dport', 'dport')];
}

/** `--sport 22` and `--dport 1:2`, with `!` before them, those that say something. */
export function portWords(spec: PortTests, ctx: XtContext): string[] {
  const words: string[] = [];
  for (const side of ['sport', 'dport'] as const) {
    const { range, inverted } = spec[side];
    // Measured: `! --dport 0:100` goes into the kernel as "greater than 100" and comes back so.
    if (ctx.backend === 'nft' && inverted && range[0] === 0 && range[1] > 0 && range[1] < ANY_LAST)
      words.push(`--${side} ${portRangeText([range[1] + 1, ANY_LAST])}`);
    else if (!isAny(spec[side])) words.push(`${inverted ? '! ' : ''}--${side} ${portRangeText(range)}`);
  }
  return words;
}

/** Port tests that are listed if they were given, even where every port passes them (sctp, dccp). */
export interface GivenPorts extends PortTests {
  readonly given: Set<'sport' | 'dport'>;
}

/** Tests that any port passes, none given. */
export function noPortsGiven(): GivenPorts {
  return { ...anyPorts(), given: new Set() };
}

/** As {@link portOptions}, noting which were given. */
export function givenPortOptions<S extends GivenPorts>(
  protocol: ServiceProtocol | undefined,
  doubled?: (name: string) => string,
): XtOption<S>[] {
  return portOptions<S>(protocol, doubled).map((option) => ({
    ...option,
    parse(spec: S, arg: XtArg): void {
      option.parse(spec, arg);
      spec.given.add(option.name === 'source-port' ? 'sport' : 'dport');
    },
  }));
}

/** `--sport 22` and `--dport 1:2`, with `!` before them, those that were given. */
export function givenPortWords(spec: GivenPorts): string[] {
  return (['sport', 'dport'] as const)
    .filter((side) => spec.given.has(side))
    .map((side) => `${spec[side].inverted ? '! ' : ''}--${side} ${portRangeText(spec[side].range)}`);
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff);
}

// What remembers nothing is made once and stands in many rules.
const LOADS = [0, 2].map((offset) => new PayloadExpr(1, NFT_PAYLOAD_TRANSPORT_HEADER, offset, 2));

function portExprs(test: PortTest, offset: number): Expr[] {
  if (isAny(test)) return [];
  const [from, to] = test.range;
  const load = LOADS[offset >> 1]!;
  if (from === to) return [load, new CmpExpr(1, test.inverted ? NFT_CMP_NEQ : NFT_CMP_EQ, portBytes(from))];
  if (from === 0) return [load, new CmpExpr(1, test.inverted ? NFT_CMP_GT : NFT_CMP_LTE, portBytes(to))];
  const op = test.inverted ? NFT_RANGE_NEQ : NFT_RANGE_EQ;
  return [load, new RangeExpr(1, op, portBytes(from), portBytes(to))];
}

/** The tests as iptables-nft makes them. */
export function lowerPorts(spec: PortTests): Expr[] {
  return [...portExprs(spec.sport, 0), ...portExprs(spec.dport, 2)];
}

/** Whether a port passes. */
export function portHolds(test: PortTest, port: number): boolean {
  return (port >= test.range[0] && port <= test.range[1]) !== test.inverted;
}
