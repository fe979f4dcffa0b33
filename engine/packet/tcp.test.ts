import { describe, expect, test } from 'vitest';
import { viewOf } from './build-bytes.ts';
import { tcp } from './build-tcp.ts';
import {
  TH_ACK,
  TH_CWR,
  TH_ECE,
  TH_FIN,
  TH_PUSH,
  TH_RST,
  TH_SYN,
  TH_URG,
  tcpAck,
  tcpFlagNames,
  tcpFlags,
  tcpHeaderLength,
  tcpSeq,
  tcpWindow,
} from './tcp.ts';
import { V4 } from './testing.mts';

describe('a TCP header', () => {
  const segment = tcp({
    ...V4,
    sport: 1,
    dport: 2,
    seq: 0xfffffff0,
    ack: 7,
    flags: TH_ACK | TH_PUSH,
    window: 65_535,
  });

  test('gives its fields, sequence numbers as int32', () => {
    const view = viewOf(segment);
    expect(tcpSeq(view, 0)).toBe(-16);
    expect(tcpAck(view, 0)).toBe(7);
    expect(tcpFlags(view, 0)).toBe(0x18);
    expect(tcpWindow(view, 0)).toBe(65_535);
    expect(tcpHeaderLength(view, 0)).toBe(20);
  });

  test('has the length that its data offset says, right or wrong: 0 to 60', () => {
    const withOffset = (dataOffset: number): DataView =>
      viewOf(tcp({ ...V4, sport: 1, dport: 2, flags: 0, dataOffset }));
    expect(tcpHeaderLength(withOffset(0), 0)).toBe(0);
    expect(tcpHeaderLength(withOffset(15), 0)).toBe(60);
  });
});

describe('tcpFlagNames', () => {
  test('names the flags in the order that people say them', () => {
    expect(tcpFlagNames(TH_SYN | TH_ACK)).toBe('SYN,ACK');
    expect(tcpFlagNames(TH_FIN | TH_PUSH | TH_URG)).toBe('FIN,PSH,URG');
    expect(tcpFlagNames(TH_RST)).toBe('RST');
    expect(tcpFlagNames(TH_SYN | TH_ECE | TH_CWR)).toBe('SYN,ECE,CWR');
  });

  test('calls no flags none', () => {
    expect(tcpFlagNames(0)).toBe('none');
  });

  test('gives each of the 256 values a text of its own', () => {
    expect(new Set(Array.from({ length: 256 }, (_, flags) => tcpFlagNames(flags))).size).toBe(256);
  });
});
