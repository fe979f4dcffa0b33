// What a scenario is.

import type { CaptureKind } from '../capture.ts';
import type { Network } from '../network.ts';

/** Real programs talking through the router, in a network made for this scenario alone. */
export type Scenario = {
  /** Names the capture's file: NAME.pcap. */
  readonly name: string;
  /** One line: who talks to whom, and what happens. */
  readonly about: string;
  /** Programs without which it cannot run (beside those that every scenario needs). */
  readonly needs: readonly string[];
  /** Where and as what the capture is taken. */
  readonly capture: CaptureKind;
  /** Seconds after which it is broken off as failed. */
  readonly limit: number;
  /** Starts servers; nothing of this is to be seen in the capture, which begins afterwards. */
  readonly prepare?: (network: Network) => Promise<unknown>;
  /** The traffic. @throws Error when a program does not end as it should. */
  readonly run: (network: Network) => Promise<unknown>;
};
