import { R_HELPER_LENGTH, R_HELPER_PARTIAL } from '../base/reason.ts';
import type { ExpectSpec } from '../conntrack/expectation.ts';
import { EXPECT_ADDED } from '../conntrack/expectation.ts';
import { F_DST, F_KIND, F_SRC, ROW_WORDS } from '../conntrack/flow-table.ts';
import { HELP_ACCEPT, HELP_DROP, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { expectFreePort } from '../nat/expect-port.ts';
import { followMaster } from '../nat/follow.ts';
import { isTranslated, mangleTcp } from '../nat/mangle.ts';
import { ipv4Text, ipv6FullText } from '../packet/address.ts';
import { AF_INET, AF_INET6, IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import {
  type FoundCommand,
  FTP_FOUND,
  FTP_NONE,
  type FtpForm,
  type FtpTarget,
  findCommand,
} from './ftp-commands.ts';
import { FtpLines } from './ftp-lines.ts';
import { bytesOf, type Cursor, payloadOf, sameAddress } from './payload.ts';
import { drop, refuse } from './refuse.ts';

const NEWLINE = 0x0a;

const foundScratch: FoundCommand = {
  form: 'PORT',
  target: { at: 0, length: 0, address: [], port: 0 },
};

/** What a segment says, and remembers where the next line begins. */
function help(call: HelpCall, loose: boolean): number {
  const { pkt, dir } = call;
  if (pkt.ctinfo !== IP_CT_ESTABLISHED && pkt.ctinfo !== IP_CT_ESTABLISHED_REPLY) return HELP_ACCEPT;
  const lines = call.ext.data as FtpLines;
  const { view, end, l4 } = pkt;
  const at = payloadOf(call);
  if (at >= end) return HELP_ACCEPT;
  const isLine = view.getUint8(end - 1) === NEWLINE;
  const seq = view.getInt32(l4 + 4);
  const next = (seq + end - at) | 0;
  if (lines.begins(dir, seq) && read(call, { view, at, end }, loose) === HELP_DROP) return HELP_DROP;
  if (isLine) lines.note(dir, next);
  return HELP_ACCEPT;
}

/** Reads a payload that begins where a line does. */
function read(call: HelpCall, c: Cursor, loose: boolean): number {
  const family = call.conntrack.table.words[call.flow * ROW_WORDS + F_KIND]! >>> 8;
  const found = foundScratch;
  found.target.address = call.conntrack.addressOf(call.flow, call.dir, F_SRC);
  const verdict = findCommand(c, call.dir, family, found);
  if (verdict === FTP_NONE) return HELP_ACCEPT;
  if (verdict !== FTP_FOUND) return drop(call, R_HELPER_PARTIAL);
  return expectData(call, family, found, loose);
}

function expectData(call: HelpCall, family: number, { form, target }: FoundCommand, loose: boolean): number {
  const { conntrack, flow, dir } = call;
  // An address of somebody else's would let anybody open a way to any host.
  const isOwn = sameAddress(target.address, conntrack.addressOf(flow, dir, F_SRC));
  if (!isOwn && !loose) return HELP_ACCEPT;
  const spec: ExpectSpec = {
    master: flow,
    family,
    proto: IPPROTO_TCP,
    source: conntrack.addressOf(flow, 1 - dir, F_SRC),
    destination: isOwn ? conntrack.addressOf(flow, 1 - dir, F_DST) : target.address,
    sourcePort: null,
    destinationPort: target.port,
  };
  if (isTranslated(call)) return translate(call, spec, form, target);
  return conntrack.expect(spec) === EXPECT_ADDED ? HELP_ACCEPT : refuse(call);
}

/** The other end has to be told the address and port that it can reach. */
function translate(call: HelpCall, spec: ExpectSpec, form: FtpForm, target: FtpTarget): number {
  const { conntrack, dir } = call;
  const { at, length } = target;
  const followed: ExpectSpec = {
    ...spec,
    savedPort: target.port,
    dir: 1 - dir,
    onMatch: followMaster(conntrack),
  };
  const port = expectFreePort(call, followed, target.port);
  if (port === 0) return refuse(call);
  const text = targetText(form, spec.family, conntrack.addressOf(call.flow, 1 - dir, F_DST), port);
  if (mangleTcp(call, at, length, bytesOf(text))) return HELP_ACCEPT;
  const made = call.ext.expectations.at(-1);
  if (made !== undefined) conntrack.unexpect(made);
  return drop(call, R_HELPER_LENGTH);
}

function targetText(form: FtpForm, family: number, address: readonly number[], port: number): string {
  const [a, b, c, d] = address;
  switch (form) {
    case 'EPRT':
      return family === AF_INET
        ? `|1|${ipv4Text(a!)}|${port}|`
        : `|2|${ipv6FullText(a!, b!, c!, d!)}|${port}|`;
    case '229':
      return `|||${port}|`;
    default:
      return `${ipv4Text(a!).replaceAll('.', ',')},${port >> 8},${port & 255}`;
  }
}

/** Options of the kernel's module. */
export interface FtpOptions {
  /** Whether the address that is announced may be somebody else's (loose); it may not if left out. */
  readonly loose?: boolean;
  /** Ports of control connections, for helpers by port (ports); 21 if left out. */
  readonly ports?: readonly number[];
}

/**
 * FTP (RFC 959, RFC 2428): expects the data connection that PORT, EPRT, or the answers to PASV and EPSV announce. It
 * reads commands only at the beginning of a segment that begins where a line does.
 */
export function ftpHelper({ loose = false, ports = [21] }: FtpOptions = {}): Helper {
  return {
    name: 'ftp',
    proto: IPPROTO_TCP,
    families: [AF_INET, AF_INET6],
    ports,
    policies: [{ name: 'ftp', maxExpected: 1, timeout: 300_000 }],
    start: () => new FtpLines(),
    save: (data) => (data as FtpLines).save(),
    restore: FtpLines.of,
    help: (call) => help(call, loose),
  };
}

/** The helper with the options that the module has by itself. */
export const FTP_HELPER: Helper = ftpHelper();
