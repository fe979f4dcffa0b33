/** H.323 messages as endpoints send them, and the framing around them. */
import { H323_USER_INFORMATION } from '../../engine/helper/h225-call.ts';
import { RAS_MESSAGE } from '../../engine/helper/h225-ras.ts';
import { H245_MESSAGE, OPEN_LOGICAL_CHANNEL } from '../../engine/helper/h245.ts';
import { addressBytes } from './dialogue-tcp.ts';
import { encode, type Plain } from './h323-encode.ts';

type Fields = Readonly<Record<string, Plain>>;

/** itu-t recommendation h 2250 version 0 4. */
const PROTOCOL: Uint8Array = Uint8Array.of(0, 8, 0x91, 0x4a, 0, 4);
/** Sixteen octets of an identifier. */
const GUID: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const VENDOR: Plain = { vendor: { t35CountryCode: 181, t35Extension: 0, manufacturerCode: 21324 } };
const TERMINAL: Plain = {
  vendor: { ...VENDOR, productId: Buffer.from('phone'), versionId: Buffer.from('1') },
  terminal: {},
  mc: false,
  undefinedNode: false,
};
const ALIAS: Plain = { h323Id: Buffer.from('\0a\0l\0i\0c\0e', 'latin1') };
const DIGITS: Plain = { dialledDigits: Uint8Array.of(1, 2, 3, 4) };
const IDENTIFIER: Uint8Array = Buffer.from('\0g\0k', 'latin1');

/** H.225.0's TransportAddress. */
export function transport(ip: string, port: number): Plain {
  return { [ip.includes(':') ? 'ip6Address' : 'ipAddress']: { ip: addressBytes(ip), port } };
}

/** H.245's. */
export function channel(ip: string, port: number): Plain {
  const kind = ip.includes(':') ? 'iP6Address' : 'iPAddress';
  return { unicastAddress: { [kind]: { network: addressBytes(ip), tsapIdentifier: port } } };
}

/** What each message of call signalling must have. */
const BODIES: Readonly<Record<string, Fields>> = {
  setup: {
    protocolIdentifier: PROTOCOL,
    sourceAddress: [ALIAS, DIGITS],
    sourceInfo: TERMINAL,
    destinationAddress: [DIGITS],
    activeMC: false,
    conferenceID: GUID,
    conferenceGoal: { create: true },
    callType: { pointToPoint: true },
    callIdentifier: Buffer.concat([Uint8Array.of(0), GUID]),
  },
  callProceeding: { protocolIdentifier: PROTOCOL, destinationInfo: TERMINAL },
  alerting: { protocolIdentifier: PROTOCOL, destinationInfo: TERMINAL },
  connect: { protocolIdentifier: PROTOCOL, destinationInfo: TERMINAL, conferenceID: GUID },
  information: { protocolIdentifier: PROTOCOL },
  releaseComplete: { protocolIdentifier: PROTOCOL, reason: { inConf: true } },
  facility: { protocolIdentifier: PROTOCOL, reason: { undefinedReason: true } },
  progress: { protocolIdentifier: PROTOCOL, destinationInfo: TERMINAL, callIdentifier: { guid: GUID } },
  empty: {},
};

/** Message types of Q.931 (table 4-2 of the Recommendation). */
const TYPES: Readonly<Record<string, number>> = {
  alerting: 0x01,
  callProceeding: 0x02,
  progress: 0x03,
  setup: 0x05,
  connect: 0x07,
  information: 0x7b,
  releaseComplete: 0x5a,
  facility: 0x62,
  empty: 0x62,
};

/** H323-UserInformation. @param pdu more of H323-UU-PDU */
export function userInformation(kind: string, fields: Fields, pdu: Fields = {}): Uint8Array {
  const body: Plain = { [kind]: kind === 'empty' ? true : { ...BODIES[kind]!, ...fields } };
  return encode(H323_USER_INFORMATION, { h323UuPdu: { body, ...pdu } });
}

/** A Q.931 message (H.225.0 table 4): bearer capability, display, and the user-user information element. */
export function q931(type: number, information: Uint8Array, before: readonly number[] = BEARER): Uint8Array {
  const length = information.length + 1;
  return Uint8Array.of(8, 2, 0x12, 0x34, type, ...before, 0x7e, length >> 8, length & 255, 5, ...information);
}

const BEARER: readonly number[] = [0x04, 3, 0x88, 0x93, 0xa5, 0x28, 3, 0x61, 0x6c, 0];

/** RFC 1006: version 3, length. */
export function tpkt(message: Uint8Array): Uint8Array {
  const length = message.length + 4;
  return Uint8Array.of(3, 0, length >> 8, length & 255, ...message);
}

/** A whole message of call signalling. */
export function call(kind: string, fields: Fields = {}, pdu: Fields = {}): Uint8Array {
  return tpkt(q931(TYPES[kind]!, userInformation(kind, fields, pdu)));
}

/** Where media goes: RTP and RTCP of H2250LogicalChannelParameters. */
export function h2250(media: Plain | null, control: Plain | null, session = 1): Plain {
  return {
    sessionID: session,
    ...(media === null ? {} : { mediaChannel: media }),
    ...(control === null ? {} : { mediaControlChannel: control }),
  };
}

const AUDIO: Plain = { audioData: { g711Ulaw64k: 20 } };
const NULL_DATA: Plain = { nullData: true };

/** OpenLogicalChannel of audio. */
export function openChannel(forward: Plain | null, reverse: Plain | null = null, more: Fields = {}): Plain {
  return {
    forwardLogicalChannelNumber: 101,
    forward: {
      dataType: forward === null ? NULL_DATA : AUDIO,
      multiplexParameters: forward === null ? { none: true } : { h2250: forward },
    },
    ...(reverse === null ? {} : { reverse: { dataType: AUDIO, multiplexParameters: { h2250: reverse } } }),
    ...more,
  };
}

/** Parameters of a forward channel for T.120 data. */
export function dataChannel(protocol: Plain, parameters: Plain): Plain {
  return {
    dataType: { data: { application: { t120: protocol }, maxBitRate: 640 } },
    multiplexParameters: { h2250: parameters },
  };
}

/** The same as fastStart's octets. */
export function fastStart(open: Plain): Uint8Array {
  return encode(OPEN_LOGICAL_CHANNEL, open);
}

/** An H.245 message as octets: `request openLogicalChannel`. */
export function h245(direction: string, kind: string, content: Plain): Uint8Array {
  return encode(H245_MESSAGE, { [direction]: { [kind]: content } });
}

/** OpenLogicalChannelAck. */
export function openAck(forward: Plain | null, reverse: Plain | null = null, more: Fields = {}): Plain {
  return {
    forwardLogicalChannelNumber: 101,
    ...(reverse === null
      ? {}
      : { reverse: { reverseLogicalChannelNumber: 102, multiplexParameters: { h2250: reverse } } }),
    ...(forward === null ? {} : { forwardMultiplexAckParameters: { h2250: forward } }),
    ...more,
  };
}

/** What every RAS message must have. */
const RAS: Readonly<Record<string, Fields>> = {
  gatekeeperRequest: { requestSeqNum: 1, protocolIdentifier: PROTOCOL, endpointType: TERMINAL },
  gatekeeperConfirm: { requestSeqNum: 1, protocolIdentifier: PROTOCOL },
  registrationRequest: {
    requestSeqNum: 2,
    protocolIdentifier: PROTOCOL,
    discoveryComplete: true,
    terminalType: TERMINAL,
    terminalAlias: [ALIAS],
    endpointVendor: VENDOR,
  },
  registrationConfirm: {
    requestSeqNum: 2,
    protocolIdentifier: PROTOCOL,
    terminalAlias: [ALIAS],
    endpointIdentifier: IDENTIFIER,
  },
  unregistrationRequest: { requestSeqNum: 3 },
  admissionRequest: {
    requestSeqNum: 4,
    callType: { pointToPoint: true },
    endpointIdentifier: IDENTIFIER,
    srcInfo: [ALIAS],
    bandWidth: 1280,
    callReferenceValue: 7,
    conferenceID: GUID,
    activeMC: false,
    answerCall: false,
  },
  admissionConfirm: { requestSeqNum: 4, bandWidth: 1280, callModel: { direct: true } },
  locationRequest: { requestSeqNum: 5, destinationInfo: [DIGITS] },
  locationConfirm: { requestSeqNum: 5 },
  infoRequestResponse: { requestSeqNum: 6, endpointType: TERMINAL, endpointIdentifier: IDENTIFIER },
};

/** A RAS message's octets. */
export function ras(kind: string, fields: Fields = {}): Uint8Array {
  return encode(RAS_MESSAGE, { [kind]: { ...RAS[kind], ...fields } });
}
