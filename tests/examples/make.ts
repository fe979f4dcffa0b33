/**
 * Writes examples/NAME/capture.pcap and expected.txt of every scene:
 * `node --conditions=keepstate-source --import tsx tests/examples/make.ts`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PcapWriter } from '../../engine/capture/pcap-writer.ts';
import { CaptureRecord } from '../../engine/capture/record.ts';
import { DLT_RAW } from '../../engine/packet/link.ts';
import { Scene } from './scene.ts';
import { SCENES } from './scenes.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
/** 2026-11-21 12:00:00 UTC, the moment of every first packet. */
const START = 1_795_262_400_000;

function captureOf(scene: Scene): Uint8Array {
  const writer = new PcapWriter({ linktype: DLT_RAW });
  const record = new CaptureRecord();
  const parts = [writer.header()];
  for (const { bytes, at } of scene.steps)
    parts.push(writer.record(record.packet(bytes, START + Math.round(at * 1000), DLT_RAW)));
  return Buffer.concat(parts);
}

for (const [name, play] of Object.entries(SCENES)) {
  const scene = new Scene();
  play(scene);
  mkdirSync(`${EXAMPLES}${name}`, { recursive: true });
  writeFileSync(`${EXAMPLES}${name}/capture.pcap`, captureOf(scene));
  const lines = scene.steps.map((s, i) => `${i + 1} ${s.expected.padEnd(6)} ${s.says}\n`);
  writeFileSync(`${EXAMPLES}${name}/expected.txt`, lines.join(''));
}
