import { EXPECT_ADDED, EXPECT_PERMANENT } from '../conntrack/expectation.ts';
import { HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { DESTINATION, destinationOf, portAt, SOURCE, sourceOf } from './flow-ends.ts';
import { RAS_MESSAGE } from './h225-ras.ts';
import { type H323Address, itemsOf, pick, signalAddress, writeAddress } from './h323-address.ts';
import { expectSignalling, isSenders, isShown, shownAddress } from './h323-expect.ts';
import { H323_DATA, type H323State } from './h323-state.ts';
import { payloadOf, sameAddress } from './payload.ts';
import { decode, PerReader, type PerRecord, type PerValue } from './per-decode.ts';
import { Q931_HELPER } from './q931.ts';
import { refuse } from './refuse.ts';
import { flowTime } from './ticks.ts';

/** How long a registration lasts if nobody says (s): the module's option default_rrq_ttl. */
const DEFAULT_TIME_TO_LIVE = 300;

/** How long the flow is kept when a registration ends (ms). */
const UNREGISTERED = 30_000;

/** At most so many addresses of a list are looked at (measured). */
const LISTED = 10;

/** What is done about a message. Returns false if the packet must be dropped. */
type Heed = (call: HelpCall, message: PerValue) => boolean;

const HEED: Readonly<Record<string, Heed>> = {
  gatekeeperRequest: (call, message) => showRas(call, [pick(message, 'rasAddress')]),
  gatekeeperConfirm: expectGatekeeper,
  registrationRequest: heedRegistration,
  registrationConfirm: confirmRegistration,
  unregistrationRequest: endRegistration,
  admissionRequest: showAdmission,
  admissionConfirm: heedAdmission,
  locationRequest: (call, message) => showRas(call, [pick(message, 'replyAddress')]),
  locationConfirm: (call, message) => expectCallee(call, pick(message, 'callSignalAddress')),
  infoRequestResponse: (call, message) =>
    showRas(call, [pick(message, 'rasAddress')]) &&
    showSignalling(call, addressesOf(message, 'callSignalAddress')),
};

function addressesOf(message: PerValue, name: string): readonly PerValue[] {
  return itemsOf(pick(message, name), LISTED);
}

/** The gatekeeper may want to be asked elsewhere. */
function expectGatekeeper(call: HelpCall, message: PerValue): boolean {
  const { conntrack, flow, pkt, dir } = call;
  const address = signalAddress(call, pick(message, 'rasAddress'));
  if (address === null) return true;
  const isKnown =
    sameAddress(address.words, sourceOf(call, dir)) && address.port === portAt(call, dir, SOURCE);
  if (isKnown) return true;
  const verdict = conntrack.expect({
    master: flow,
    family: pkt.family,
    proto: IPPROTO_UDP,
    source: sourceOf(call, 1 - dir),
    destination: address.words,
    sourcePort: null,
    destinationPort: address.port,
    helper: RAS_HELPER,
  });
  return verdict === EXPECT_ADDED;
}

/** Calls to a registered endpoint come from its gatekeeper (the module's option gkrouted_only). */
function heedRegistration(call: HelpCall, message: PerValue): boolean {
  const state = call.ext.data as H323State;
  const addresses = addressesOf(message, 'callSignalAddress').map((value) => signalAddress(call, value));
  const own = addresses.find((address) => isSenders(call, address));
  const calls = { helper: Q931_HELPER, flags: EXPECT_PERMANENT };
  if (own && !expectSignalling(call, own, isShown(call), calls)) return false;
  if (own && own !== addresses[0]) showLoopback(call, addresses[0]!);
  showRas(call, addressesOf(message, 'rasAddress'));
  state.timeToLive = (pick(message, 'timeToLive') as number | undefined) ?? DEFAULT_TIME_TO_LIVE;
  return true;
}

/** Some endpoints name their loopback address first: it becomes the registered one too (measured). */
function showLoopback(call: HelpCall, address: H323Address | null): void {
  if (!isShown(call) || address === null || address.words[0]! >>> 24 !== 127) return;
  writeAddress(call, address, shownAddress(call), (call.ext.data as H323State).signalPorts[1 - call.dir]!);
}

function confirmRegistration(call: HelpCall, message: PerValue): boolean {
  const state = call.ext.data as H323State;
  showSignalling(call, addressesOf(message, 'callSignalAddress'));
  state.timeToLive = (pick(message, 'timeToLive') as number | undefined) ?? state.timeToLive;
  if (state.timeToLive > 0) call.conntrack.prolong(call.flow, flowTime(state.timeToLive));
  return true;
}

function endRegistration(call: HelpCall, message: PerValue): boolean {
  const state = call.ext.data as H323State;
  showSignalling(call, addressesOf(message, 'callSignalAddress'));
  call.conntrack.unexpectAll(call.flow);
  state.signalPorts.fill(0);
  call.conntrack.prolong(call.flow, UNREGISTERED);
  return true;
}

/** Measured: of the two addresses of an admission request only the first that is the sender's is translated. */
function showAdmission(call: HelpCall, message: PerValue): boolean {
  if (!isShown(call)) return true;
  const { dir } = call;
  const { signalPorts } = call.ext.data as H323State;
  const called = signalAddress(call, pick(message, 'destCallSignalAddress'));
  const calling = signalAddress(call, pick(message, 'srcCallSignalAddress'));
  if (called !== null && isAt(called, sourceOf(call, dir), signalPorts[dir]))
    writeAddress(call, called, shownAddress(call), signalPorts[1 - dir]!);
  else if (calling !== null && sameAddress(calling.words, sourceOf(call, dir)))
    writeAddress(call, calling, shownAddress(call), calling.port);
  return true;
}

/** An admission tells whom to call, or that the endpoint may answer a call to itself. */
function heedAdmission(call: HelpCall, message: PerValue): boolean {
  const value = pick(message, 'destCallSignalAddress');
  const address = signalAddress(call, value);
  if (address === null) return true;
  if (sameAddress(address.words, destinationOf(call, call.dir))) return showSignalling(call, [value!]);
  return expectCallee(call, value);
}

/** A call that the other end is going to make. */
function expectCallee(call: HelpCall, value: PerValue | undefined): boolean {
  const { conntrack, flow, pkt, dir } = call;
  const address = signalAddress(call, value);
  if (address === null) return true;
  const verdict = conntrack.expect({
    master: flow,
    family: pkt.family,
    proto: IPPROTO_TCP,
    source: sourceOf(call, 1 - dir),
    destination: address.words,
    sourcePort: null,
    destinationPort: address.port,
    helper: Q931_HELPER,
    flags: EXPECT_PERMANENT,
  });
  return verdict === EXPECT_ADDED;
}

function isAt({ words, port }: H323Address, other: readonly number[], at: number): boolean {
  return port === at && sameAddress(words, other);
}

/** Translates the sender's RAS address, where a message names it. */
function showRas(call: HelpCall, values: readonly (PerValue | undefined)[]): boolean {
  if (!isShown(call)) return true;
  const { dir } = call;
  for (const value of values) {
    const address = signalAddress(call, value);
    if (address === null || !isAt(address, sourceOf(call, dir), portAt(call, dir, SOURCE))) continue;
    writeAddress(call, address, shownAddress(call), portAt(call, 1 - dir, DESTINATION));
    break;
  }
  return true;
}

/** Translates the registered signalling address, where a message of either end names it. */
function showSignalling(call: HelpCall, values: readonly PerValue[]): boolean {
  if (!isShown(call)) return true;
  const { dir } = call;
  const { signalPorts } = call.ext.data as H323State;
  const port = signalPorts[1 - dir]!;
  for (const value of values) {
    const address = signalAddress(call, value);
    if (address === null) continue;
    if (isAt(address, sourceOf(call, dir), signalPorts[dir])) {
      writeAddress(call, address, shownAddress(call), port);
      break;
    }
    if (isAt(address, destinationOf(call, dir), signalPorts[dir])) {
      writeAddress(call, address, sourceOf(call, 1 - dir), port);
      break;
    }
  }
  return true;
}

function help(call: HelpCall): number {
  const { pkt } = call;
  const reader = new PerReader(pkt.view, payloadOf(call), pkt.end, pkt.off);
  const message = decode(RAS_MESSAGE, reader);
  if (message === null) return HELP_ACCEPT;
  for (const [name, content] of Object.entries(message as PerRecord)) {
    if (HEED[name]?.(call, content) === false) return refuse(call);
  }
  return HELP_ACCEPT;
}

/** H.225.0 registration, admission and status: how endpoints of H.323 speak with their gatekeeper. */
export const RAS_HELPER: Helper = {
  name: 'RAS',
  proto: IPPROTO_UDP,
  families: [AF_INET, AF_INET6],
  ports: [1719],
  policies: [{ name: 'RAS', maxExpected: 32, timeout: 240_000 }],
  ...H323_DATA,
  help,
};
