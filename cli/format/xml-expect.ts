import {
  EXPECT_INACTIVE,
  EXPECT_PERMANENT,
  type ExpectRecord,
  protocolName,
  type TupleRecord,
} from '@keepstate/engine';
import { secondsLeft } from './tuple-text.ts';

/** What stands in front of the first `<flow>`. */
export const XML_EXPECT_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<expect>\n';
/** What stands behind the last. */
export const XML_EXPECT_TAIL = '</expect>\n';

function addresses(name: string, t: TupleRecord): string {
  return `<${name}><src>${t.src}</src><dst>${t.dst}</dst></${name}>`;
}

function ports(name: string, t: TupleRecord): string {
  const both = t.sport === undefined ? '' : `<sport>${t.sport}</sport><dport>${t.dport ?? 0}</dport>`;
  return `<${name}>${both}</${name}>`;
}

/**
 * An expectation as `conntrack -L expect -o xml` prints it, without a newline.
 * @param type of an event; left out in listings
 */
export function xmlExpect(e: ExpectRecord, type?: 'new' | 'destroy'): string {
  const l3 = `protonum="${e.family}" protoname="${e.family === 2 ? 'ipv4' : 'ipv6'}"`;
  const l4 = `protonum="${e.protonum}" protoname="${protocolName(e.protonum)}"`;
  const three = addresses('expected', e.tuple) + addresses('mask', e.mask) + addresses('master', e.master);
  const four = ports('expected', e.tuple) + ports('mask', e.mask) + ports('master', e.master);
  const meta =
    (e.helper === null ? '' : `<helper-name>${e.helper}</helper-name>`) +
    `<timeout>${secondsLeft(e.timeout)}</timeout><class>${e.class}</class>` +
    ((e.flags & EXPECT_PERMANENT) === 0 ? '' : '<permanent/>') +
    ((e.flags & EXPECT_INACTIVE) === 0 ? '' : '<inactive/>');
  return (
    `<flow${type === undefined ? '' : ` type="${type}"`}><layer3 ${l3}>${three}</layer3>` +
    `<layer4 ${l4}>${four}</layer4><meta>${meta}</meta></flow>`
  );
}
