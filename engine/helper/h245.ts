/** H.245 (ITU-T H.245 Annex A, module MULTIMEDIA-SYSTEM-CONTROL): the messages that open logical channels. */
import { DATA_TYPE, NON_STANDARD_PARAMETER } from './h245-capability.ts';
import {
  BOOLEAN,
  characters,
  choice,
  choiceOf,
  integer,
  NULL,
  OPEN,
  octets,
  openFields,
  optional,
  type PerFields,
  type PerType,
  STOP,
  sequence,
  sequenceOf,
} from './per.ts';

const WORD: PerType = integer(0, 65535);
const CHANNEL_NUMBER: PerType = integer(1, 65535);
/** A message whose content no helper reads. */
const UNREAD = sequence({});

const IP_ADDRESS = sequence({ network: octets(4, 4), tsapIdentifier: WORD }, {});
const IP6_ADDRESS = sequence({ network: octets(16, 16), tsapIdentifier: WORD }, {});

/** TransportAddress of H.245. */
const TRANSPORT_ADDRESS = choice(
  {
    unicastAddress: choice(
      {
        iPAddress: IP_ADDRESS,
        iPXAddress: sequence({ node: octets(6, 6), netnum: octets(4, 4), tsapIdentifier: octets(2, 2) }, {}),
        iP6Address: IP6_ADDRESS,
        netBios: octets(16, 16),
        iPSourceRouteAddress: sequence(
          {
            routing: choiceOf('strict loose', false),
            network: octets(4, 4),
            tsapIdentifier: WORD,
            route: sequenceOf(octets(4, 4)),
          },
          {},
        ),
      },
      {},
    ),
    multicastAddress: choice({ iPAddress: IP_ADDRESS, iP6Address: IP6_ADDRESS }, {}),
  },
  {},
);

const H222_PARAMETERS = sequence(
  {
    resourceID: WORD,
    subChannelID: integer(0, 8191),
    pcrPid: optional(integer(0, 8191)),
    programDescriptors: optional(octets()),
    streamDescriptors: optional(octets()),
  },
  {},
);

const H223_PARAMETERS = sequence(
  {
    adaptationLayerType: choice(
      {
        nonStandard: NON_STANDARD_PARAMETER,
        al1Framed: NULL,
        al1NotFramed: NULL,
        al2WithoutSequenceNumbers: NULL,
        al2WithSequenceNumbers: NULL,
        al3: sequence({ controlFieldOctets: integer(0, 2), sendBufferSize: integer(0, 16777215) }),
      },
      {},
    ),
    segmentableFlag: BOOLEAN,
  },
  {},
);

const V76_PARAMETERS = sequence(
  {
    hdlcParameters: sequence(
      {
        crcLength: choiceOf('crc8bit crc16bit crc32bit'),
        n401: integer(1, 4095),
        loopbackTestProcedure: BOOLEAN,
      },
      {},
    ),
    suspendResume: choiceOf('noSuspendResume suspendResumewAddress suspendResumewoAddress'),
    uIH: BOOLEAN,
    mode: choice(
      {
        eRM: sequence({ windowSize: integer(1, 127), recovery: choiceOf('rej sREJ mSREJ') }, {}),
        uNERM: NULL,
      },
      {},
    ),
    v75Parameters: sequence({ audioHeaderPresent: BOOLEAN }, {}),
  },
  {},
);

/** As far as mediaPacketization. */
const H2250_PARAMETERS = sequence(
  {
    nonStandard: optional(sequenceOf(NON_STANDARD_PARAMETER)),
    sessionID: integer(0, 255),
    associatedSessionID: optional(integer(1, 255)),
    mediaChannel: optional(TRANSPORT_ADDRESS),
    mediaGuaranteedDelivery: optional(BOOLEAN),
    mediaControlChannel: optional(TRANSPORT_ADDRESS),
    stop: STOP,
    mediaControlGuaranteedDelivery: optional(BOOLEAN),
    silenceSuppression: optional(BOOLEAN),
    destination: optional(sequence({ mcuNumber: integer(0, 192), terminalNumber: integer(0, 192) }, {})),
    dynamicRTPPayloadType: optional(integer(96, 127)),
    mediaPacketization: optional(choiceOf('h261aVideoPacketization')),
  },
  {},
);

const NETWORK_ACCESS = sequence(
  {
    distribution: optional(choiceOf('unicast multicast')),
    networkAddress: choice(
      {
        q2931Address: sequence(
          {
            address: choice({ internationalNumber: characters(4, 1, 16), nsapAddress: octets(1, 20) }, {}),
            subaddress: optional(octets(1, 20)),
          },
          {},
        ),
        e164Address: characters(4, 1, 128),
        localAreaAddress: TRANSPORT_ADDRESS,
      },
      {},
    ),
    associateConference: BOOLEAN,
    externalReference: optional(octets(1, 255)),
  },
  openFields('t120SetupProcedure'),
);

/** OpenLogicalChannel; H.225.0's fastStart carries it on its own. */
export const OPEN_LOGICAL_CHANNEL: PerType = sequence(
  {
    forwardLogicalChannelNumber: CHANNEL_NUMBER,
    forward: sequence(
      {
        portNumber: optional(WORD),
        dataType: DATA_TYPE,
        multiplexParameters: choice(
          { h222: H222_PARAMETERS, h223: H223_PARAMETERS, v76: V76_PARAMETERS },
          { h2250: H2250_PARAMETERS, h223AnnexA: OPEN, none: NULL },
        ),
      },
      openFields('forwardLogicalChannelDependency replacementFor'),
    ),
    reverse: optional(
      sequence(
        {
          dataType: DATA_TYPE,
          multiplexParameters: optional(
            choice(
              { h223: H223_PARAMETERS, v76: V76_PARAMETERS },
              { h2250: H2250_PARAMETERS, h223AnnexA: OPEN },
            ),
          ),
        },
        openFields('reverseLogicalChannelDependency replacementFor'),
      ),
    ),
  },
  { separateStack: NETWORK_ACCESS, encryptionSync: STOP },
);

const OPEN_LOGICAL_CHANNEL_ACK = sequence(
  {
    forwardLogicalChannelNumber: CHANNEL_NUMBER,
    reverse: optional(
      sequence(
        {
          reverseLogicalChannelNumber: CHANNEL_NUMBER,
          portNumber: optional(WORD),
          multiplexParameters: optional(choice({ h222: H222_PARAMETERS }, { h2250: H2250_PARAMETERS })),
        },
        openFields('replacementFor'),
      ),
    ),
  },
  {
    separateStack: NETWORK_ACCESS,
    forwardMultiplexAckParameters: choice(
      {
        h2250: sequence(
          {
            nonStandard: optional(sequenceOf(NON_STANDARD_PARAMETER)),
            sessionID: optional(integer(1, 255)),
            mediaChannel: optional(TRANSPORT_ADDRESS),
            mediaControlChannel: optional(TRANSPORT_ADDRESS),
            dynamicRTPPayloadType: optional(integer(96, 127)),
          },
          openFields('flowControlToZero portNumber'),
        ),
      },
      {},
    ),
    encryptionSync: STOP,
  },
);

/** Alternatives that end the reading of the message, whatever is in them (measured). */
function stops(names: string): PerFields {
  return Object.fromEntries(names.split(' ').map((name) => [name, STOP]));
}

const REQUEST = choice(
  {
    nonStandard: UNREAD,
    masterSlaveDetermination: UNREAD,
    terminalCapabilitySet: UNREAD,
    openLogicalChannel: OPEN_LOGICAL_CHANNEL,
    closeLogicalChannel: UNREAD,
    requestChannelClose: UNREAD,
    multiplexEntrySend: UNREAD,
    requestMultiplexEntry: UNREAD,
    requestMode: UNREAD,
    roundTripDelayRequest: UNREAD,
    maintenanceLoopRequest: UNREAD,
  },
  stops('communicationModeRequest conferenceRequest multilinkRequest logicalChannelRateRequest'),
);

const RESPONSE = choice(
  {
    nonStandard: UNREAD,
    masterSlaveDeterminationAck: UNREAD,
    masterSlaveDeterminationReject: UNREAD,
    terminalCapabilitySetAck: UNREAD,
    terminalCapabilitySetReject: UNREAD,
    openLogicalChannelAck: OPEN_LOGICAL_CHANNEL_ACK,
    openLogicalChannelReject: UNREAD,
    closeLogicalChannelAck: UNREAD,
    requestChannelCloseAck: UNREAD,
    requestChannelCloseReject: UNREAD,
    multiplexEntrySendAck: UNREAD,
    multiplexEntrySendReject: UNREAD,
    requestMultiplexEntryAck: UNREAD,
    requestMultiplexEntryReject: UNREAD,
    requestModeAck: UNREAD,
    requestModeReject: UNREAD,
    roundTripDelayResponse: UNREAD,
    maintenanceLoopAck: UNREAD,
    maintenanceLoopReject: UNREAD,
  },
  {
    ...stops('communicationModeResponse conferenceResponse multilinkResponse'),
    ...stops('logicalChannelRateAcknowledge logicalChannelRateReject'),
  },
);

/** MultimediaSystemControlMessage. */
export const H245_MESSAGE: PerType = choice(
  { request: REQUEST, response: RESPONSE, command: UNREAD, indication: UNREAD },
  {},
);
