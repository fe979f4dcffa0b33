/** Linux packet I/O for keepstate: drivers that bring packets to a firewall and carry out its verdicts. */
export { Bridge, type BridgeOptions } from './bridge.ts';
export { missingCapabilities, restrictProcess } from './capabilities.ts';
export { Capture, type CaptureOptions } from './capture.ts';
export { now } from './clock.ts';
export { Ctnetlink, type ExpectationRequest, type KernelFilter, type KernelList } from './ctnetlink.ts';
export {
  CtnetlinkEvents,
  type KernelEvent,
  type KernelEventKind,
  type KernelEventListener,
} from './ctnetlink-events.ts';
export type { KernelExpectation } from './ctnetlink-expectation.ts';
export type { KernelFlow } from './ctnetlink-flow.ts';
export type { FlowRequest, KernelNat } from './ctnetlink-request.ts';
export type { KernelCpuStats } from './ctnetlink-stats.ts';
export { type Driver, type DriverCounts, DriverError, type Judge } from './driver.ts';
export { KernelHost, NetworkWatch } from './kernel-host.ts';
export { deviceIndex } from './libc.ts';
export { lockFile } from './lock.ts';
export { Loop } from './loop.ts';
export { NetlinkError } from './netlink-socket.ts';
export { ANSWER_MARK, Nfqueue, type NfqueueOptions, type QueueHost } from './nfqueue.ts';
export { Tun, type TunOptions } from './tun.ts';
