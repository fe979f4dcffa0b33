/**
 * Types that H.225.0's messages have in common (ITU-T H.225.0 (12/2009) Annex H, module H323-MESSAGES). What stands
 * behind a `...` brings its length along: there only what a helper reads is named.
 */
import { OPEN_LOGICAL_CHANNEL } from './h245.ts';
import {
  BOOLEAN,
  characters,
  choice,
  choiceOf,
  contained,
  doubledInteger,
  integer,
  NULL,
  OBJECT_IDENTIFIER,
  OPEN,
  octets,
  openFields,
  optional,
  type PerType,
  sequence,
  sequenceOf,
} from './per.ts';

const BYTE: PerType = integer(0, 255);
const WORD: PerType = integer(0, 65535);

/** RequestSeqNum. */
export const REQUEST_SEQ_NUM: PerType = integer(1, 65535);
/** CallReferenceValue. */
export const CALL_REFERENCE_VALUE: PerType = WORD;
/** TimeToLive, in seconds. */
export const TIME_TO_LIVE: PerType = doubledInteger(1, 4294967295);
/** BandWidth, in units of 100 bit/s. */
export const BAND_WIDTH: PerType = integer(0, 4294967295);
/** ConferenceIdentifier. */
export const CONFERENCE_IDENTIFIER: PerType = octets(16, 16);
/** GatekeeperIdentifier and EndpointIdentifier: BMPString. */
export const IDENTIFIER: PerType = characters(16, 1, 128);

const H221_NON_STANDARD = sequence({ t35CountryCode: BYTE, t35Extension: BYTE, manufacturerCode: WORD }, {});

/** NonStandardParameter. */
export const NON_STANDARD_PARAMETER: PerType = sequence({
  nonStandardIdentifier: choice({ object: OBJECT_IDENTIFIER, h221NonStandard: H221_NON_STANDARD }, {}),
  data: octets(),
});

/** `nonStandardData NonStandardParameter OPTIONAL, ...`: all that many types of endpoints are in the root. */
const INFO = { nonStandardData: optional(NON_STANDARD_PARAMETER) };
const CAPS = sequence(INFO, openFields('dataRatesSupported supportedPrefixes'));

/** TransportAddress of H.225.0; H.245 has another. */
export const TRANSPORT_ADDRESS: PerType = choice(
  {
    ipAddress: sequence({ ip: octets(4, 4), port: WORD }),
    ipSourceRoute: sequence(
      { ip: octets(4, 4), port: WORD, route: sequenceOf(octets(4, 4)), routing: choiceOf('strict loose') },
      {},
    ),
    ipxAddress: sequence({ node: octets(6, 6), netnum: octets(4, 4), port: octets(2, 2) }),
    ip6Address: sequence({ ip: octets(16, 16), port: WORD }, {}),
    netBios: octets(16, 16),
    nsap: octets(1, 20),
    nonStandardAddress: NON_STANDARD_PARAMETER,
  },
  {},
);

/** AliasAddress. The digits are of 13 letters, hence 4 bits each. */
export const ALIAS_ADDRESS: PerType = choice(
  { dialledDigits: characters(4, 1, 128), h323Id: characters(16, 1, 256) },
  {},
);

/** SEQUENCE OF AliasAddress. */
export const ALIASES: PerType = sequenceOf(ALIAS_ADDRESS);

/** VendorIdentifier. */
export const VENDOR_IDENTIFIER: PerType = sequence(
  { vendor: H221_NON_STANDARD, productId: optional(octets(1, 256)), versionId: optional(octets(1, 256)) },
  {},
);

const SUPPORTED_PROTOCOLS = choice(
  {
    nonStandardData: NON_STANDARD_PARAMETER,
    h310: CAPS,
    h320: CAPS,
    h321: CAPS,
    h322: CAPS,
    h323: CAPS,
    h324: CAPS,
    voice: CAPS,
    t120Only: CAPS,
  },
  {},
);

/** EndpointType. */
export const ENDPOINT_TYPE: PerType = sequence(
  {
    nonStandardData: optional(NON_STANDARD_PARAMETER),
    vendor: optional(VENDOR_IDENTIFIER),
    gatekeeper: optional(sequence(INFO, {})),
    gateway: optional(
      sequence(
        {
          protocol: optional(sequenceOf(SUPPORTED_PROTOCOLS)),
          nonStandardData: optional(NON_STANDARD_PARAMETER),
        },
        {},
      ),
    ),
    mcu: optional(sequence(INFO, openFields('protocol'))),
    terminal: optional(sequence(INFO, {})),
    mc: BOOLEAN,
    undefinedNode: BOOLEAN,
  },
  openFields('set supportedTunnelledProtocols'),
);

/** QseriesOptions. */
export const QSERIES_OPTIONS: PerType = sequence(
  {
    q932Full: BOOLEAN,
    q951Full: BOOLEAN,
    q952Full: BOOLEAN,
    q953Full: BOOLEAN,
    q955Full: BOOLEAN,
    q956Full: BOOLEAN,
    q957Full: BOOLEAN,
    q954Info: sequence({ conferenceCalling: BOOLEAN, threePartyService: BOOLEAN }, {}),
  },
  {},
);

/** CallType. */
export const CALL_TYPE: PerType = choiceOf('pointToPoint oneToN nToOne nToN');
/** CallModel. */
export const CALL_MODEL: PerType = choiceOf('direct gatekeeperRouted');

/** CallIdentifier. */
export const CALL_IDENTIFIER: PerType = sequence({ guid: octets(16, 16) }, {});

const SECURITY_MODE = choice({ nonStandard: NON_STANDARD_PARAMETER, none: NULL, default: NULL }, {});
const SECURITY_CAPABILITIES = sequence(
  {
    nonStandard: optional(NON_STANDARD_PARAMETER),
    encryption: SECURITY_MODE,
    authenticaton: SECURITY_MODE,
    integrity: SECURITY_MODE,
  },
  {},
);

/** H245Security. */
export const H245_SECURITY: PerType = choice(
  {
    nonStandard: NON_STANDARD_PARAMETER,
    noSecurity: NULL,
    tls: SECURITY_CAPABILITIES,
    ipsec: SECURITY_CAPABILITIES,
  },
  {},
);

const BITS: PerType = characters(1, 0, 2048);

/** ClearToken of H.235 (module H235-SECURITY-MESSAGES). Its `random` is an INTEGER without bounds: a length and octets. */
export const CLEAR_TOKEN: PerType = sequence(
  {
    tokenOID: OBJECT_IDENTIFIER,
    timeStamp: optional(integer(1, 4294967295)),
    password: optional(IDENTIFIER),
    dhkey: optional(sequence({ halfkey: BITS, modSize: BITS, generator: BITS }, {})),
    challenge: optional(octets(8, 128)),
    random: optional(OPEN),
    certificate: optional(sequence({ type: OBJECT_IDENTIFIER, certificate: octets() }, {})),
    generalID: optional(IDENTIFIER),
    nonStandard: optional(sequence({ nonStandardIdentifier: OBJECT_IDENTIFIER, data: octets() })),
  },
  openFields('eckasdhkey sendersID'),
);

/** Fast connect: H.245 OpenLogicalChannel structures, each in an OCTET STRING. */
export const FAST_START: PerType = sequenceOf(contained(OPEN_LOGICAL_CHANNEL));
