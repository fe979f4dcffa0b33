/** H.225.0 registration, admission and status: RasMessage. */
import {
  ALIASES,
  BAND_WIDTH,
  CALL_MODEL,
  CALL_REFERENCE_VALUE,
  CALL_TYPE,
  CONFERENCE_IDENTIFIER,
  ENDPOINT_TYPE,
  IDENTIFIER,
  NON_STANDARD_PARAMETER,
  QSERIES_OPTIONS,
  REQUEST_SEQ_NUM,
  TIME_TO_LIVE,
  TRANSPORT_ADDRESS,
  VENDOR_IDENTIFIER,
} from './h225.ts';
import {
  BOOLEAN,
  choice,
  integer,
  OBJECT_IDENTIFIER,
  OPEN,
  openFields,
  optional,
  type PerType,
  STOP,
  sequence,
  sequenceOf,
} from './per.ts';

const NON_STANDARD = optional(NON_STANDARD_PARAMETER);
const ADDRESSES: PerType = sequenceOf(TRANSPORT_ADDRESS);
/** A message whose content no helper reads. */
const UNREAD = sequence({});

const GATEKEEPER_REQUEST = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    protocolIdentifier: OBJECT_IDENTIFIER,
    nonStandardData: NON_STANDARD,
    rasAddress: TRANSPORT_ADDRESS,
    stop: STOP,
    endpointType: ENDPOINT_TYPE,
    gatekeeperIdentifier: optional(IDENTIFIER),
    callServices: optional(QSERIES_OPTIONS),
    endpointAlias: optional(ALIASES),
  },
  {},
);

const GATEKEEPER_CONFIRM = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    protocolIdentifier: OBJECT_IDENTIFIER,
    nonStandardData: NON_STANDARD,
    gatekeeperIdentifier: optional(IDENTIFIER),
    rasAddress: TRANSPORT_ADDRESS,
  },
  { alternateGatekeeper: STOP },
);

const REGISTRATION_REQUEST = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    protocolIdentifier: OBJECT_IDENTIFIER,
    nonStandardData: NON_STANDARD,
    discoveryComplete: BOOLEAN,
    callSignalAddress: ADDRESSES,
    rasAddress: ADDRESSES,
    terminalType: ENDPOINT_TYPE,
    terminalAlias: optional(ALIASES),
    gatekeeperIdentifier: optional(IDENTIFIER),
    endpointVendor: VENDOR_IDENTIFIER,
  },
  {
    alternateEndpoints: OPEN,
    timeToLive: TIME_TO_LIVE,
    tokens: STOP,
    ...openFields('cryptoTokens integrityCheckValue keepAlive'),
  },
);

const REGISTRATION_CONFIRM = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    protocolIdentifier: OBJECT_IDENTIFIER,
    nonStandardData: NON_STANDARD,
    callSignalAddress: ADDRESSES,
    terminalAlias: optional(ALIASES),
    gatekeeperIdentifier: optional(IDENTIFIER),
    endpointIdentifier: IDENTIFIER,
  },
  {
    alternateGatekeeper: OPEN,
    timeToLive: TIME_TO_LIVE,
    tokens: STOP,
    ...openFields('cryptoTokens integrityCheckValue willRespondToIRR'),
  },
);

const UNREGISTRATION_REQUEST = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    callSignalAddress: ADDRESSES,
    stop: STOP,
    endpointAlias: optional(ALIASES),
    nonStandardData: NON_STANDARD,
    endpointIdentifier: optional(IDENTIFIER),
  },
  {},
);

const ADMISSION_REQUEST = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    callType: CALL_TYPE,
    callModel: optional(CALL_MODEL),
    endpointIdentifier: IDENTIFIER,
    destinationInfo: optional(ALIASES),
    destCallSignalAddress: optional(TRANSPORT_ADDRESS),
    destExtraCallInfo: optional(ALIASES),
    srcInfo: ALIASES,
    srcCallSignalAddress: optional(TRANSPORT_ADDRESS),
    stop: STOP,
    bandWidth: BAND_WIDTH,
    callReferenceValue: CALL_REFERENCE_VALUE,
    nonStandardData: NON_STANDARD,
    callServices: optional(QSERIES_OPTIONS),
    conferenceID: CONFERENCE_IDENTIFIER,
    activeMC: BOOLEAN,
    answerCall: BOOLEAN,
  },
  {},
);

const ADMISSION_CONFIRM = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    bandWidth: BAND_WIDTH,
    callModel: CALL_MODEL,
    destCallSignalAddress: TRANSPORT_ADDRESS,
    stop: STOP,
    irrFrequency: optional(integer(1, 65535)),
    nonStandardData: NON_STANDARD,
  },
  {},
);

const LOCATION_REQUEST = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    endpointIdentifier: optional(IDENTIFIER),
    destinationInfo: ALIASES,
    nonStandardData: NON_STANDARD,
    replyAddress: TRANSPORT_ADDRESS,
  },
  {},
);

const LOCATION_CONFIRM = sequence(
  {
    requestSeqNum: REQUEST_SEQ_NUM,
    callSignalAddress: TRANSPORT_ADDRESS,
    rasAddress: TRANSPORT_ADDRESS,
    stop: STOP,
    nonStandardData: NON_STANDARD,
  },
  {},
);

/** As far as callSignalAddress. */
const INFO_REQUEST_RESPONSE = sequence(
  {
    nonStandardData: NON_STANDARD,
    requestSeqNum: REQUEST_SEQ_NUM,
    endpointType: ENDPOINT_TYPE,
    endpointIdentifier: IDENTIFIER,
    rasAddress: TRANSPORT_ADDRESS,
    callSignalAddress: ADDRESSES,
    stop: STOP,
    endpointAlias: optional(ALIASES),
    perCallInfo: optional(UNREAD),
  },
  {},
);

/** RasMessage. */
export const RAS_MESSAGE: PerType = choice(
  {
    gatekeeperRequest: GATEKEEPER_REQUEST,
    gatekeeperConfirm: GATEKEEPER_CONFIRM,
    gatekeeperReject: UNREAD,
    registrationRequest: REGISTRATION_REQUEST,
    registrationConfirm: REGISTRATION_CONFIRM,
    registrationReject: UNREAD,
    unregistrationRequest: UNREGISTRATION_REQUEST,
    unregistrationConfirm: UNREAD,
    unregistrationReject: UNREAD,
    admissionRequest: ADMISSION_REQUEST,
    admissionConfirm: ADMISSION_CONFIRM,
    admissionReject: UNREAD,
    bandwidthRequest: UNREAD,
    bandwidthConfirm: UNREAD,
    bandwidthReject: UNREAD,
    disengageRequest: UNREAD,
    disengageConfirm: UNREAD,
    disengageReject: UNREAD,
    locationRequest: LOCATION_REQUEST,
    locationConfirm: LOCATION_CONFIRM,
    locationReject: UNREAD,
    infoRequest: UNREAD,
    infoRequestResponse: INFO_REQUEST_RESPONSE,
    nonStandardMessage: UNREAD,
    unknownMessageResponse: UNREAD,
  },
  openFields('requestInProgress resourcesAvailableIndicate resourcesAvailableConfirm'),
);
