import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readKernelExpectation } from './ctnetlink-expectation.ts';
import { readKernelFlow } from './ctnetlink-flow.ts';
import * as N from './ctnetlink-names.ts';
import { type FlowRequest, writeFlowRequest } from './ctnetlink-request.ts';
import { readCpuStats } from './ctnetlink-stats.ts';
import { NLMSG_HEADER } from './netlink.ts';
import { MessageWriter } from './netlink-writer.ts';

/** A message with what a request says, read as if the kernel had sent it. */
function sentBack(request: FlowRequest): ReturnType<typeof readKernelFlow> {
  const writer = new MessageWriter();
  writer.beginNetfilter(N.NFNL_SUBSYS_CTNETLINK, N.CT_NEW, 0, 1, request.family, 0);
  writeFlowRequest(writer, request);
  writer.end();
  return readKernelFlow(writer.bytes, writer.view, 0);
}

describe('a flow of ctnetlink', () => {
  test.each([
    [6, { src: '10.0.0.1', dst: '10.0.0.2', sport: 1000, dport: 80 }],
    [17, { src: 'fd00::1', dst: 'fd00::2', sport: 65535, dport: 1 }],
    [1, { src: '10.0.0.1', dst: '10.0.0.2', type: 8, code: 0, id: 77 }],
    [58, { src: 'fd00::1', dst: 'fd00::2', type: 128, code: 3, id: 65535 }],
    [47, { src: '10.0.0.1', dst: '10.0.0.2', srckey: 17, dstkey: 0 }],
    [99, { src: '10.0.0.1', dst: '10.0.0.2' }],
  ])('of protocol %i is read as it was written', (protonum, original) => {
    const family = original.src.includes(':') ? 10 : 2;
    const reply = { ...original, src: original.dst, dst: original.src };
    const flow = sentBack({
      family,
      protonum,
      original,
      reply,
      zoneOriginal: 3,
      zoneReply: 65535,
      id: 4_000_000_000,
      status: 0x18e,
      timeout: 432_000,
      mark: 0xffff_fff0,
      helper: 'ftp',
      labels: [0, 5, 63, 127],
    });
    expect(flow).toMatchObject({ family, protonum, original, reply, zoneOriginal: 3, zoneReply: 65535 });
    expect(flow).toMatchObject({ id: 4_000_000_000, status: 0x18e, timeout: 432_000, mark: 0xffff_fff0 });
    expect(flow).toMatchObject({ helper: 'ftp', labels: [0, 5, 63, 127] });
    expect(flow).toMatchObject({ uses: null, counters: null, start: null, secctx: null, state: null });
  });

  test('has the state of TCP, and that of SCTP with its tags', () => {
    const tuple = { src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 2 };
    expect(sentBack({ family: 2, protonum: 6, original: tuple, state: 3 }).state).toBe(3);
    const sctp = sentBack({ family: 2, protonum: 132, state: 4, vtags: { original: 5, reply: 0xffff_ffff } });
    expect(sctp).toMatchObject({ state: 4, vtags: { original: 5, reply: 0xffff_ffff } });
  });

  test('has one zone for both directions where the kernel tells one', () => {
    expect(sentBack({ family: 2, protonum: 17, zone: 7 })).toMatchObject({ zoneOriginal: 7, zoneReply: 7 });
  });

  test('whatever bytes come, reading them ends and throws nothing', () => {
    const attributes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(attributes, fc.nat({ max: 400 }), (noise, length) => {
        const bytes = new Uint8Array(NLMSG_HEADER + 4 + noise.length);
        bytes.set(noise, NLMSG_HEADER + 4);
        const view = new DataView(bytes.buffer);
        // What isMessage has let through: no longer than the datagram.
        view.setUint32(0, Math.min(Math.max(NLMSG_HEADER, length), bytes.length), true);
        readKernelFlow(bytes, view, 0);
        readKernelExpectation(bytes, view, 0);
        readCpuStats(view, 0, length % 2 === 0);
      }),
      { numRuns: 2000 },
    );
  });

  test('cut off anywhere it is read as far as it goes', () => {
    const writer = new MessageWriter();
    writer.beginNetfilter(N.NFNL_SUBSYS_CTNETLINK, N.CT_NEW, 0, 1, 2, 0);
    const original = { src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 2 };
    writeFlowRequest(writer, {
      family: 2,
      protonum: 6,
      original,
      mark: 5,
      state: 3,
      helper: 'ftp',
      labels: [1],
    });
    writer.end();
    for (let length = NLMSG_HEADER; length <= writer.length; length++) {
      const bytes = writer.bytes.slice(0, length);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, length, true);
      expect(readKernelFlow(bytes, view, 0).mark === 5).toBe(length >= 80);
    }
  });
});
