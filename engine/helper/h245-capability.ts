/** H.245's DataType: what a logical channel carries. It stands in front of the addresses, so all of it is known. */
import {
  BOOLEAN,
  choice,
  integer,
  NULL,
  OBJECT_IDENTIFIER,
  octets,
  openFields,
  optional,
  type PerFields,
  type PerType,
  sequence,
} from './per.ts';

/** NonStandardParameter of H.245: its identifier cannot be extended, other than in H.225.0. */
export const NON_STANDARD_PARAMETER: PerType = sequence({
  nonStandardIdentifier: choice({
    object: OBJECT_IDENTIFIER,
    h221NonStandard: sequence({
      t35CountryCode: integer(0, 255),
      t35Extension: integer(0, 255),
      manufacturerCode: integer(0, 65535),
    }),
  }),
  data: octets(),
});

const FRAMES: PerType = integer(1, 256);
const RATE30: PerType = integer(0, 1073741823);
const RATE18: PerType = integer(0, 262143);
const LINE: PerType = integer(0, 16383);
const SAMPLES: PerType = integer(0, 4294967295);

/** Several BOOLEANs, by their names. */
function booleans(names: string): PerFields {
  return Object.fromEntries(names.split(' ').map((name) => [name, BOOLEAN]));
}

const H261 = sequence(
  {
    qcifMPI: optional(integer(1, 4)),
    cifMPI: optional(integer(1, 4)),
    temporalSpatialTradeOffCapability: BOOLEAN,
    maxBitRate: integer(1, 19200),
    stillImageTransmission: BOOLEAN,
  },
  openFields('videoBadMBsCap'),
);

const H262 = sequence(
  {
    ...booleans('SPatML MPatLL MPatML MPatH14 MPatHL SNRatLL SNRatML SpatialatH14 HPatML HPatH14 HPatHL'),
    videoBitRate: optional(RATE30),
    vbvBufferSize: optional(RATE18),
    samplesPerLine: optional(LINE),
    linesPerFrame: optional(LINE),
    framesPerSecond: optional(integer(0, 15)),
    luminanceSampleRate: optional(SAMPLES),
  },
  openFields('videoBadMBsCap'),
);

const H263 = sequence(
  {
    sqcifMPI: optional(integer(1, 32)),
    qcifMPI: optional(integer(1, 32)),
    cifMPI: optional(integer(1, 32)),
    cif4MPI: optional(integer(1, 32)),
    cif16MPI: optional(integer(1, 32)),
    maxBitRate: integer(1, 192400),
    ...booleans('unrestrictedVector arithmeticCoding advancedPrediction pbFrames temporalSpatialTradeOff'),
    hrdB: optional(integer(0, 524287)),
    bppMaxKb: optional(integer(0, 65535)),
  },
  openFields(
    'slowSqcifMPI slowQcifMPI slowCifMPI slowCif4MPI slowCif16MPI errorCompensation enhancementLayerInfo h263Options',
  ),
);

const IS11172_VIDEO = sequence(
  {
    constrainedBitstream: BOOLEAN,
    videoBitRate: optional(RATE30),
    vbvBufferSize: optional(RATE18),
    samplesPerLine: optional(LINE),
    linesPerFrame: optional(LINE),
    pictureRate: optional(integer(0, 15)),
    luminanceSampleRate: optional(SAMPLES),
  },
  openFields('videoBadMBsCap'),
);

const VIDEO = choice(
  { nonStandard: NON_STANDARD_PARAMETER, h261: H261, h262: H262, h263: H263, is11172: IS11172_VIDEO },
  {},
);

const IS11172_AUDIO = sequence(
  {
    ...booleans('layer1 layer2 layer3 sampling32k sampling44k1 sampling48k singleChannel twoChannels'),
    bitRate: integer(1, 448),
  },
  {},
);

const IS13818_AUDIO = sequence(
  {
    ...booleans(
      'layer1 layer2 layer3 sampling16k sampling22k05 sampling24k sampling32k sampling44k1 sampling48k',
    ),
    ...booleans('singleChannel twoChannels three21 three30 four2020 four22 four31 five3020 five32'),
    ...booleans('lowFrequencyEnhancement multilingual'),
    bitRate: integer(1, 1130),
  },
  {},
);

const AUDIO = choice(
  {
    nonStandard: NON_STANDARD_PARAMETER,
    g711Alaw64k: FRAMES,
    g711Alaw56k: FRAMES,
    g711Ulaw64k: FRAMES,
    g711Ulaw56k: FRAMES,
    g722At64k: FRAMES,
    g722At56k: FRAMES,
    g722At48k: FRAMES,
    g7231: sequence({ maxAlSduAudioFrames: FRAMES, silenceSuppression: BOOLEAN }),
    g728: FRAMES,
    g729: FRAMES,
    g729AnnexA: FRAMES,
    is11172: IS11172_AUDIO,
    is13818: IS13818_AUDIO,
  },
  {},
);

const DATA_PROTOCOL = choice(
  {
    nonStandard: NON_STANDARD_PARAMETER,
    v14buffered: NULL,
    v42lapm: NULL,
    hdlcFrameTunnelling: NULL,
    h310SeparateVCStack: NULL,
    h310SingleVCStack: NULL,
    transparent: NULL,
  },
  { segmentationAndReassembly: NULL, hdlcFrameTunnelingwSAR: NULL, v120: NULL, separateLANStack: NULL },
);

const T84_PROFILE = choice({
  t84Unrestricted: NULL,
  t84Restricted: sequence(
    {
      ...booleans('qcif cif ccir601Seq ccir601Prog hdtvSeq hdtvProg g3MH200x100 g3MH200x200 g4MMR200x100'),
      ...booleans('g4MMR200x200 jbig200x200Seq jbig200x200Prog jbig300x300Seq jbig300x300Prog digPhotoLow'),
      ...booleans('digPhotoMedSeq digPhotoMedProg digPhotoHighSeq digPhotoHighProg'),
    },
    {},
  ),
});

const DATA_APPLICATION = sequence(
  {
    application: choice(
      {
        nonStandard: NON_STANDARD_PARAMETER,
        t120: DATA_PROTOCOL,
        dsmCc: DATA_PROTOCOL,
        userData: DATA_PROTOCOL,
        t84: sequence({ t84Protocol: DATA_PROTOCOL, t84Profile: T84_PROFILE }),
        t434: DATA_PROTOCOL,
        h224: DATA_PROTOCOL,
        nlpid: sequence({ nlpidProtocol: DATA_PROTOCOL, nlpidData: octets() }),
        dsvdControl: NULL,
        h222DataPartitioning: DATA_PROTOCOL,
      },
      {},
    ),
    maxBitRate: integer(0, 4294967295),
  },
  {},
);

/** DataType. */
export const DATA_TYPE: PerType = choice(
  {
    nonStandard: NON_STANDARD_PARAMETER,
    nullData: NULL,
    videoData: VIDEO,
    audioData: AUDIO,
    data: DATA_APPLICATION,
    encryptionData: choice({ nonStandard: NON_STANDARD_PARAMETER, h233Encryption: NULL }, {}),
  },
  {},
);
