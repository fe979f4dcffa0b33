/** H.225.0 call signalling: what the user-user information element of Q.931 carries (H323-UserInformation). */
import {
  ALIASES,
  CALL_IDENTIFIER,
  CALL_REFERENCE_VALUE,
  CALL_TYPE,
  CLEAR_TOKEN,
  CONFERENCE_IDENTIFIER,
  ENDPOINT_TYPE,
  FAST_START,
  H245_SECURITY,
  NON_STANDARD_PARAMETER,
  QSERIES_OPTIONS,
  TRANSPORT_ADDRESS,
} from './h225.ts';
import { H245_MESSAGE } from './h245.ts';
import {
  BOOLEAN,
  choice,
  choiceOf,
  contained,
  integer,
  NULL,
  OBJECT_IDENTIFIER,
  OPEN,
  octets,
  openFields,
  optional,
  type PerType,
  STOP,
  sequence,
  sequenceOf,
} from './per.ts';

/** Of Alerting, CallProceeding and Connect, behind the `...`. */
const ANSWER_ADDITIONS = {
  ...openFields('callIdentifier h245SecurityMode tokens cryptoTokens'),
  fastStart: FAST_START,
  ...openFields('multipleCalls maintainConnection'),
};

const SETUP = sequence(
  {
    protocolIdentifier: OBJECT_IDENTIFIER,
    h245Address: optional(TRANSPORT_ADDRESS),
    sourceAddress: optional(ALIASES),
    sourceInfo: ENDPOINT_TYPE,
    destinationAddress: optional(ALIASES),
    destCallSignalAddress: optional(TRANSPORT_ADDRESS),
    destExtraCallInfo: optional(ALIASES),
    destExtraCRV: optional(sequenceOf(CALL_REFERENCE_VALUE)),
    activeMC: BOOLEAN,
    conferenceID: CONFERENCE_IDENTIFIER,
    conferenceGoal: choiceOf('create join invite'),
    callServices: optional(QSERIES_OPTIONS),
    callType: CALL_TYPE,
  },
  {
    sourceCallSignalAddress: TRANSPORT_ADDRESS,
    ...openFields('remoteExtensionAddress callIdentifier h245SecurityCapability tokens cryptoTokens'),
    fastStart: FAST_START,
    ...openFields('mediaWaitForConnect canOverlapSend'),
    endpointIdentifier: STOP,
    ...openFields('multipleCalls maintainConnection'),
    ...openFields('connectionParameters language presentationIndicator screeningIndicator serviceControl'),
    ...openFields('symmetricOperationRequired capacity circuitInfo desiredProtocols neededFeatures'),
    ...openFields('desiredFeatures supportedFeatures parallelH245Control additionalSourceAddresses'),
  },
);

/** The roots of Alerting-UUIE and CallProceeding-UUIE. */
const PROCEEDING_ROOT = {
  protocolIdentifier: OBJECT_IDENTIFIER,
  destinationInfo: ENDPOINT_TYPE,
  h245Address: optional(TRANSPORT_ADDRESS),
};

const PROCEEDING = sequence(PROCEEDING_ROOT, {
  ...ANSWER_ADDITIONS,
  ...openFields('fastConnectRefused featureSet'),
});

const ALERTING = sequence(PROCEEDING_ROOT, {
  ...ANSWER_ADDITIONS,
  ...openFields('alertingAddress presentationIndicator screeningIndicator fastConnectRefused'),
  ...openFields('serviceControl capacity featureSet'),
});

const CONNECT = sequence(
  {
    protocolIdentifier: OBJECT_IDENTIFIER,
    h245Address: optional(TRANSPORT_ADDRESS),
    destinationInfo: ENDPOINT_TYPE,
    conferenceID: CONFERENCE_IDENTIFIER,
  },
  {
    ...ANSWER_ADDITIONS,
    ...openFields('language connectedAddress presentationIndicator screeningIndicator fastConnectRefused'),
    ...openFields('serviceControl capacity featureSet'),
  },
);

const INFORMATION = sequence(
  { protocolIdentifier: OBJECT_IDENTIFIER },
  openFields('callIdentifier tokens cryptoTokens fastStart fastConnectRefused circuitInfo'),
);

const RELEASE_COMPLETE = sequence(
  {
    protocolIdentifier: OBJECT_IDENTIFIER,
    reason: optional(
      choiceOf(
        'noBandwidth gatekeeperResources unreachableDestination destinationRejection invalidRevision noPermission unreachableGatekeeper gatewayResources badFormatAddress adaptiveBusy inConf undefinedReason',
      ),
    ),
  },
  openFields(
    'callIdentifier tokens cryptoTokens busyAddress presentationIndicator screeningIndicator capacity serviceControl featureSet',
  ),
);

const FACILITY = sequence(
  {
    protocolIdentifier: OBJECT_IDENTIFIER,
    alternativeAddress: optional(TRANSPORT_ADDRESS),
    alternativeAliasAddress: optional(ALIASES),
    conferenceID: optional(CONFERENCE_IDENTIFIER),
    reason: choiceOf('routeCallToGatekeeper callForwarded routeCallToMC undefinedReason'),
  },
  {
    ...openFields('callIdentifier destExtraCallInfo remoteExtensionAddress tokens cryptoTokens conferences'),
    h245Address: TRANSPORT_ADDRESS,
    fastStart: FAST_START,
    ...openFields('multipleCalls maintainConnection fastConnectRefused serviceControl circuitInfo'),
    ...openFields('featureSet destinationInfo h245SecurityMode'),
  },
);

/** CryptoH323Token: its types are not in the tables, so that a message with one in front of what matters is not read. */
const UNREADABLE = choice({});

/** Progress-UUIE: all in the root. */
const PROGRESS = sequence(
  {
    protocolIdentifier: OBJECT_IDENTIFIER,
    destinationInfo: ENDPOINT_TYPE,
    h245Address: optional(TRANSPORT_ADDRESS),
    callIdentifier: CALL_IDENTIFIER,
    h245SecurityMode: optional(H245_SECURITY),
    tokens: optional(sequenceOf(CLEAR_TOKEN)),
    cryptoTokens: optional(sequenceOf(UNREADABLE)),
    fastStart: optional(FAST_START),
  },
  openFields('multipleCalls maintainConnection fastConnectRefused'),
);

const BODY = choice(
  {
    setup: SETUP,
    callProceeding: PROCEEDING,
    connect: CONNECT,
    alerting: ALERTING,
    information: INFORMATION,
    releaseComplete: RELEASE_COMPLETE,
    facility: FACILITY,
  },
  { progress: PROGRESS, empty: NULL },
);

/** H323-UserInformation. */
export const H323_USER_INFORMATION: PerType = sequence(
  {
    h323UuPdu: sequence(
      { body: BODY, nonStandardData: optional(NON_STANDARD_PARAMETER) },
      {
        h4501SupplementaryService: OPEN,
        h245Tunnelling: BOOLEAN,
        h245Control: sequenceOf(contained(H245_MESSAGE)),
        nonStandardControl: STOP,
      },
    ),
    stop: STOP,
    userData: optional(
      sequence({ protocolDiscriminator: integer(0, 255), userInformation: octets(1, 131) }, {}),
    ),
  },
  {},
);
