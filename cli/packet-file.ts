import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { CaptureRecord, type HostModel, type Outcome, PcapngWriter } from '@keepstate/engine';
import { errnoText } from './errno-text.ts';
import { decidedBy } from './format/rule-words.ts';
import { Failure, UsageError } from './trouble.ts';
import { VERSION } from './version.ts';

/**
 * DLT_RAW: a packet begins with its IP header. Not LINKTYPE_RAW (101), which is the same: of a file with two interfaces of
 * that type tcpdump reads the first packet only (measured: libpcap 1.10.3 compares it with its own 12).
 */
const DLT_RAW = 12;
/** if_tsresol of nanoseconds, so that no capture's times are rounded. */
const NANOSECONDS = 9;

/** Whether two names lead to one file. */
function isSameFile(a: string, b: string): boolean {
  try {
    const [one, other] = [statSync(a), statSync(b)];
    return one.isFile() && one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}

/**
 * What leaves the firewall, written to a pcapng file: each packet as it is then, on the interface that it leaves by,
 * with the verdict as a comment (pcapng's opt_comment), so that any other tool can look at the result.
 */
export class PacketFile {
  private readonly name: string;
  private readonly fd: number;
  private readonly host: HostModel;
  private readonly writer: PcapngWriter = new PcapngWriter({ application: `keepstate ${VERSION}` });
  /** Number of the interface in the file, by the device's in the host. */
  private readonly interfaces: Map<number, number> = new Map();
  private readonly record: CaptureRecord = new CaptureRecord();

  /**
   * Makes the file, or empties it.
   * @param inputs files that are read meanwhile
   * @throws UsageError for standard output, which has the trace, and for an input, which would be lost
   * @throws Failure if it cannot be written
   */
  constructor(name: string, host: HostModel, inputs: readonly string[]) {
    if (name === '-') throw new UsageError("'--write -': standard output has the trace; name a file");
    if (inputs.some((input) => isSameFile(input, name)))
      throw new UsageError(`'--write ${name}': that is one of the files to be read`, false);
    this.name = name;
    this.host = host;
    try {
      this.fd = openSync(name, 'w');
    } catch (error) {
      throw new Failure(`cannot write ${name}: ${errnoText(error)}`);
    }
    this.put(this.writer.header());
  }

  /**
   * Writes what became of a packet: itself, or its fragments; if this host takes it, as it is delivered; and what the
   * firewall sent because of it.
   * @param number of the packet in the capture
   * @param time when it came (ms)
   */
  add(outcome: Outcome, number: number, time: number): void {
    const says = `packet ${number}: ${outcome.verdict}${decidedBy(outcome)}`;
    for (const bytes of outcome.out) this.packet(outcome.ifout, bytes, time, says);
    if (outcome.delivered !== null)
      this.packet(outcome.ifin, outcome.delivered, time, `${says}; delivered to this host`);
    for (const { bytes, why, left, ifout } of outcome.answers)
      if (left)
        this.packet(ifout, bytes, time, `packet ${number}: ${outcome.verdict}; the firewall's ${why}`);
  }

  /** Closes the file. @throws Failure if that is when it turns out that there is no room */
  close(): void {
    try {
      closeSync(this.fd);
    } catch (error) {
      throw this.failure(error);
    }
  }

  private packet(device: number, bytes: Uint8Array, time: number, comment: string): void {
    const record = this.record.packet(bytes, time, DLT_RAW);
    record.iface = this.interface(device);
    this.put(this.writer.record(record, comment));
  }

  private interface(device: number): number {
    const there = this.interfaces.get(device);
    if (there !== undefined) return there;
    const number = this.writer.interfaces;
    const name = this.host.device(device)?.name ?? '';
    this.put(this.writer.interface({ linktype: DLT_RAW, name, tsresol: NANOSECONDS }));
    this.interfaces.set(device, number);
    return number;
  }

  private put(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    } catch (error) {
      throw this.failure(error);
    }
  }

  private failure(error: unknown): Failure {
    return new Failure(`cannot write ${this.name}: ${errnoText(error)}`);
  }
}
