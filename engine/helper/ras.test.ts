import { expect, test } from 'vitest';
import { OUTER, Talk } from './testing.mts';

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));

/** RegistrationRequest of 10.0.0.5: calls at 1720, RAS at 1719, for 120 s. */
const REQUEST = bytesOf(
  '0e800001060008914a00048001000a00000506b801000a00000506b722c0b500534c0470686f6e650031000140040061006c006900630065' +
    '00b500534c0a880200770180',
);
/** RegistrationConfirm of 198.51.100.7 with no lifetime. */
const CONFIRM = bytesOf('10800001060008914a00040100c633640706b80140040061006c006900630065020067006b');
/** UnregistrationRequest. */
const LEAVE = bytesOf('1800000201000a00000506b8');

const register = (masqueraded = false): Talk =>
  new Talk('RAS', 'udp', 1719, { client: '10.0.0.5', server: '198.51.100.7', masqueraded });

test('the gatekeeper of a registered endpoint may call it', () => {
  const talk = register();
  talk.up(REQUEST);
  expect(talk.expected()).toEqual(['tcp 198.51.100.7 > 10.0.0.5:1720 240']);
});

test('behind translation the endpoint registers with the outer address', () => {
  const talk = register(true);
  const text = talk.up(REQUEST).text!;
  expect(talk.expected()).toEqual([`tcp 198.51.100.7 > ${OUTER}:1720 240`]);
  expect(text).toContain(String.fromCharCode(...OUTER.split('.').map(Number), 0x06, 0xb8));
});

test('a registration that is confirmed keeps its flow for as long as it lasts', () => {
  const talk = register();
  talk.up(REQUEST);
  talk.down(CONFIRM);
  talk.now += 110_000;
  talk.up(new Uint8Array(1));
  expect(talk.flows()).toHaveLength(1);
});

test('an endpoint that leaves is not called any more', () => {
  const talk = register();
  talk.up(REQUEST);
  talk.up(LEAVE);
  expect(talk.expected()).toEqual([]);
});

test('what is behind the fields of a GatekeeperConfirm is not looked at', () => {
  const talk = register();
  // rasAddress 10.1.2.3:1234, then three additions that cannot be read.
  talk.up(bytesOf('0600000100000a01020304d2' + '05ff7f'));
  expect(talk.expected()).toEqual(['udp 198.51.100.7 > 10.1.2.3:1234 240']);
});

test.each([
  [8589934, 8589934],
  [8589935, 0],
  [4294967295, 0],
  [17179900, 31],
])('a registration for %i s keeps its flow for %i s: ticks are counted in 32 bits', (seconds, kept) => {
  const talk = register();
  const life = bytesOf(`0a8004c0${(seconds - 1).toString(16).padStart(8, '0')}0000000000000000`);
  // As CONFIRM, with additions.
  const confirm = Uint8Array.of(CONFIRM[0]! | 2, ...CONFIRM.subarray(1), ...life);
  talk.up(REQUEST);
  talk.down(confirm);
  talk.firewall.conntrack.comeTo(talk.now + 1);
  expect(talk.flows().map(({ timeout }) => Math.round(timeout / 1000))).toEqual(kept === 0 ? [] : [kept]);
});
