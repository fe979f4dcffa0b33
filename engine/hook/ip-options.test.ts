import { describe, expect, test } from 'vitest';
import { parseHostFile } from '../host/parse-file.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { internetChecksum, viewOf } from '../packet/build-bytes.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { Firewall } from './firewall.ts';
import { Ruleset } from './ruleset.ts';

const HOST = `interfaces:
  r0: [192.0.2.1/24]
  r1: [198.51.100.1/24]
`;
/** 05:05:51.812 UTC, in ms since midnight 011802c4. */
const NOW = Date.UTC(2026, 10, 22) + 0x011802c4;

const ENDS = { src: '192.0.2.10', dst: '198.51.100.80', sport: 1000 };

/** A packet with these options. */
function withOptions(hex: string, dport = 99, plain = udpPacket({ ...ENDS, dport, payload: 5 })): Uint8Array {
  const options = Uint8Array.from(Buffer.from(hex, 'hex'));
  const bytes = new Uint8Array(plain.length + options.length);
  bytes.set(plain.subarray(0, 20));
  bytes.set(options, 20);
  bytes.set(plain.subarray(20), 20 + options.length);
  const view = viewOf(bytes);
  view.setUint8(0, 0x45 + options.length / 4);
  view.setUint16(2, bytes.length);
  view.setUint16(10, 0);
  view.setUint16(10, internetChecksum(bytes.subarray(0, 20 + options.length)));
  return bytes;
}

function send(bytes: Uint8Array, rules = ''): Firewall {
  const ruleset = new Ruleset();
  expect(ruleset.load({ name: 'rules.nft', text: rules })).toEqual([]);
  const firewall = new Firewall({ host: parseHostFile(HOST, 'host.yaml'), rules: ruleset.tables() });
  firewall.wantsBytes = true;
  const pkt = new Packet();
  resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
  pkt.time = NOW;
  firewall.receive(pkt, 101, NOW);
  return firewall;
}

function optionsOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(20, (bytes[0]! & 15) * 4)).toString('hex');
}

function became({ outcome }: Firewall): string {
  const [out] = outcome.out;
  if (out !== undefined) {
    expect(internetChecksum(out.subarray(0, (out[0]! & 15) * 4))).toBe(0);
    return optionsOf(out);
  }
  const error = outcome.answers[0]?.bytes;
  if (error === undefined) return 'dropped';
  const icmp = (error[0]! & 15) * 4;
  expect([...error.subarray(icmp, icmp + 2)]).toEqual([12, 0]);
  return `byte ${error[icmp + 4]}`;
}

/** Options as they came, and what Linux 6.18 made of them between veth devices. */
const MEASURED: readonly (readonly [string, string])[] = [
  ['01010101', '01010101'],
  ['00000000', '00000000'],
  ['0707080909090900', '0707080909090900'],
  ['070b04000000000000000000', '070b08c63364010000000000'],
  ['94040000', '94040000'],
  ['820b00000000000000000000', '820b00000000000000000000'],
  ['88040000', '88040000'],
  ['9e040000', '9e040000'],
  ['9e020101', '9e020101'],
  ['9e000000', 'byte 20'],
  ['9e010000', 'byte 20'],
  ['9e090000', 'byte 20'],
  ['07020400', 'byte 21'],
  ['07280400', 'byte 20'],
  ['0707030000000000', 'byte 22'],
  ['0707050000000000', 'byte 22'],
  ['0707060000000000', 'byte 22'],
  ['07030401', '07030401'],
  ['07070400000000070704000000000000', 'byte 27'],
  ['44030500', 'byte 21'],
  ['44040500', '44040510'],
  ['4408040000000000', 'byte 22'],
  ['4408060000000000', 'byte 22'],
  ['440405f0', 'byte 23'],
  ['4408050100000000', 'byte 22'],
  ['440c05030909090900000000', '440c05030909090900000000'],
  ['440c0503c633640100000000', '440c0d03c6336401TIME'],
  ['440c0d030000000000000000', '440c0d030000000000000000'],
  ['440c05020000000000000000', '440c05020000000000000000'],
  ['440c05050000000000000000', '440c05050000000000000000'],
  ['44080500000000004408050000000000', 'byte 28'],
  ['83020400', 'byte 21'],
  ['8307030000000000', 'byte 22'],
  ['8307040000000000', 'dropped'],
  ['83070800000000830708000000000000', 'byte 27'],
  ['94030000', 'byte 21'],
  ['01010107', 'byte 23'],
  ['019e0000', 'byte 21'],
  ['00070101', '00000000'],
  ['86040000', 'byte 21'],
  ['8606000000010000', 'byte 21'],
  ['440c09000000000000000000', '440c0d0000000000TIME'],
  ['070b08000000000000000000', '070b0c00000000c633640100'],
  ['44040520', '44040530'],
  ['4408090100000000', '4408091100000000'],
  ['440c05010000000000000000', '440c0d01c0000201TIME'],
  ['07040400', 'byte 22'],
  ['4405050000000000', 'byte 22'],
];

describe('options of an IPv4 header, on the way through a router', () => {
  test.each(MEASURED)('%s', (came, leaves) => {
    expect(became(send(withOptions(came)))).toBe(leaves.replaceAll('TIME', '011802c4'));
  });

  const REJECT = `table ip f { chain c { type filter hook forward priority 0; udp dport 2 reject
  }
  }
`;

  test.each([
    ['01010101', true],
    ['94040000', true],
    ['0707080909090900', true],
    ['0707040000000000', false],
    ['44040500', false],
    ['4408090300000000', true],
    ['4408050000000000', false],
    ['9e040000', true],
    ['00000000', true],
    ['00070101', false],
  ])('and whether a reset answers: %s', (came, isSent) => {
    const rules = REJECT.replace('udp dport 2 reject', 'tcp dport 1 reject with tcp reset');
    const syn = tcpPacket({ ...ENDS, dport: 1, flags: 2 });
    const { outcome } = send(withOptions(came, 1, syn), rules);
    expect(outcome.verdict === 'accept').toBe(false);
    expect(outcome.answers).toHaveLength(isSent ? 1 : 0);
  });

  // The error takes over routes and times, and writes the next entry; what it quotes has this machine's first.
  test.each([
    ['0707040000000000', '070708c000020100', '070708c000020100'],
    ['0707080909090900', '0707080909090900', '0707080909090900'],
    ['070b04000000000000000000', '070b0cc0000201c000020100', '070b08c00002010000000000'],
    ['4408050000000000', '44080900011802c4', '44080900011802c4'],
    ['440c05000000000000000000', '440c0d00011802c4011802c4', '440c0900011802c400000000'],
    ['440c05010000000000000000', '440c0d01c0000201011802c4', '440c0d01c0000201011802c4'],
    [
      '4414050100000000000000000000000000000000',
      '44141501c0000201011802c4c0000201011802c4',
      '44140d01c0000201011802c40000000000000000',
    ],
    ['44040500', '44040510', '44040510'],
    [
      '07070400000000440805000000000000',
      '070708c000020144080900011802c400',
      '070708c000020144080900011802c400',
    ],
    ['01070b04000000000000000001010100', '070b0cc0000201c000020100', '01070b08c00002010000000001010100'],
  ])('in an error about it: %s', (came, inError, quoted) => {
    const [error] = send(withOptions(came, 2), REJECT).outcome.answers;
    expect(optionsOf(error!.bytes)).toBe(inError);
    expect(optionsOf(error!.bytes.subarray((error!.bytes[0]! & 15) * 4 + 8))).toBe(quoted);
  });
});
