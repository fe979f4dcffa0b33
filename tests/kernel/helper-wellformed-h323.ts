/** H.323 messages as endpoints really send them, for others to damage. */
import type { Plain } from './h323-encode.ts';
import * as M from './h323-messages.ts';
import { mutated } from './helper-mutations.ts';
import { address, portOf, type Speaker } from './helper-speaker.ts';

function h323Media(s: Speaker, at: number): Plain {
  const { dice } = s;
  return M.h2250(
    dice.chance(85) ? M.channel(address(s), at) : null,
    dice.chance(75) ? M.channel(address(s), at + 1) : null,
  );
}

/** Sometimes damaged, with all that is around it as it should be. */
function inner({ dice }: Speaker, octets: Uint8Array): Uint8Array {
  return dice.chance(25) ? mutated(dice, octets, false).subarray(0, 300) : octets;
}

function control(s: Speaker): Uint8Array {
  const { dice } = s;
  const port = portOf(s);
  const stack = dice.chance(15)
    ? {
        separateStack: {
          networkAddress: { localAreaAddress: M.channel(address(s), port + 9) },
          associateConference: false,
        },
      }
    : {};
  if (dice.chance(60))
    return M.h245(
      'request',
      'openLogicalChannel',
      M.openChannel(h323Media(s, port + 4), dice.chance(30) ? h323Media(s, port + 6) : null, stack),
    );
  return M.h245(
    'response',
    'openLogicalChannelAck',
    M.openAck(h323Media(s, port + 4), dice.chance(30) ? h323Media(s, port + 6) : null, stack),
  );
}

/** The type of all messages here: no helper looks at it. */
const SETUP = 5;

/** A message of call signalling. */
export function q931(s: Speaker): Uint8Array {
  const { dice } = s;
  const port = portOf(s);
  const kind = dice.pick([
    'setup',
    'setup',
    'callProceeding',
    'alerting',
    'connect',
    'facility',
    'progress',
    'empty',
  ]);
  const fields: Record<string, Plain> = {};
  if (kind !== 'empty') {
    if (dice.chance(60)) fields.h245Address = M.transport(address(s), port);
    if (dice.chance(40)) fields.fastStart = [inner(s, M.fastStart(M.openChannel(h323Media(s, port + 2))))];
  }
  if (kind === 'setup' && dice.chance(60))
    fields.sourceCallSignalAddress = M.transport(address(s), s.side.sport);
  if (kind === 'setup' && dice.chance(60))
    fields.destCallSignalAddress = M.transport(s.side.dst, s.side.dport);
  if (kind === 'facility' && dice.chance(40)) {
    fields.reason = { callForwarded: true };
    fields.alternativeAddress = M.transport(address(s), port + 8);
  }
  const pdu = dice.chance(40) ? { h245Tunnelling: true, h245Control: [inner(s, control(s))] } : {};
  return M.tpkt(M.q931(SETUP, inner(s, M.userInformation(kind, fields, pdu))));
}

/** One of registration, admission and status. */
export function ras(s: Speaker): Uint8Array {
  const { dice, side } = s;
  const port = portOf(s);
  const at = (p: number): Plain => M.transport(address(s), p);
  const life = dice.chance(50) ? { timeToLive: dice.between(10, 70000), keepAlive: Uint8Array.of(0x80) } : {};
  const kinds: Readonly<Record<string, Readonly<Record<string, Plain>>>> = {
    gatekeeperRequest: { rasAddress: at(side.sport) },
    gatekeeperConfirm: { rasAddress: at(port) },
    registrationRequest: { callSignalAddress: [at(port)], rasAddress: [at(side.sport)], ...life },
    registrationConfirm: { callSignalAddress: [at(port)], ...life },
    unregistrationRequest: { callSignalAddress: [at(port)] },
    admissionRequest: { destCallSignalAddress: at(port), srcCallSignalAddress: at(port + 1) },
    admissionConfirm: { destCallSignalAddress: at(port) },
    locationRequest: { replyAddress: at(side.sport) },
    locationConfirm: { callSignalAddress: at(port), rasAddress: at(port + 1) },
    infoRequestResponse: { rasAddress: at(side.sport), callSignalAddress: [at(port)] },
  };
  const kind = dice.pick(Object.keys(kinds));
  return M.ras(kind, kinds[kind]!);
}
