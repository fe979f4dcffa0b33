import { describe, expect, test } from 'vitest';
import { F_STATUS, ROW_WORDS } from '../../engine/conntrack/flow-table.ts';
import { TCP_LAST_ACK, TCP_SYN_SENT2 } from '../../engine/proto/tcp-states.ts';
import { W_STATE } from '../../engine/proto/tcp-words.ts';
import { CLASSIC, Host, on, TODAY, WINDOW } from './host.ts';
import { TcpTalk } from './talk.ts';

const HOURS = 3600;
const DAYS = 24 * HOURS;

/** How a talk comes into a state: who sends which flags, or a state that no packet leads to and that is set by hand. */
type Way = readonly (readonly ['client' | 'server', string])[] | number;

const OPEN: Way = [
  ['client', 'S'],
  ['server', 'SA'],
  ['client', 'A'],
];
const FIN_WAIT: Way = [...OPEN, ['client', 'FA']];
const CLOSE_WAIT: Way = [...FIN_WAIT, ['server', 'A']];
const LAST_ACK: Way = [...CLOSE_WAIT, ['server', 'FA']];
const TIME_WAIT: Way = [...LAST_ACK, ['client', 'A']];

/** Of each state: the seconds in the three profiles (null: the profile has no such timeout), and ways into it. */
const STATES: readonly {
  readonly state: string;
  readonly seconds: readonly [classic: number, window: number | null, today: number | null];
  readonly ways: readonly [classic: Way, other: Way];
}[] = [
  { state: 'NONE', seconds: [1800, null, null], ways: [[['client', '']], []] },
  { state: 'SYN_SENT', seconds: [120, 120, 120], ways: [OPEN.slice(0, 1), OPEN.slice(0, 1)] },
  { state: 'SYN_RECV', seconds: [60, 60, 60], ways: [OPEN.slice(0, 2), OPEN.slice(0, 2)] },
  { state: 'ESTABLISHED', seconds: [5 * DAYS, 5 * DAYS, 5 * DAYS], ways: [OPEN, OPEN] },
  { state: 'FIN_WAIT', seconds: [120, 120, 120], ways: [FIN_WAIT, FIN_WAIT] },
  // Linux 2.4 comes into CLOSE_WAIT by the FIN of the side that was connected to.
  { state: 'CLOSE_WAIT', seconds: [60, 12 * HOURS, 60], ways: [[...OPEN, ['server', 'FA']], CLOSE_WAIT] },
  { state: 'LAST_ACK', seconds: [30, 30, 30], ways: [TCP_LAST_ACK, LAST_ACK] },
  { state: 'TIME_WAIT', seconds: [120, 120, 120], ways: [TIME_WAIT, TIME_WAIT] },
  {
    state: 'CLOSE',
    seconds: [10, 10, 10],
    ways: [
      [...OPEN, ['client', 'R']],
      [...OPEN, ['client', 'R']],
    ],
  },
  { state: 'LISTEN', seconds: [120, null, null], ways: [TCP_SYN_SENT2, []] },
];

const CASES = STATES.flatMap(({ state, seconds, ways }) =>
  [CLASSIC, WINDOW, TODAY].flatMap((profile, i) => {
    const timeout = seconds[i];
    return timeout == null
      ? []
      : [{ state, timeout, profile, name: profile.name, way: ways[i === 0 ? 0 : 1] }];
  }),
);

function go(host: Host, way: Way): void {
  const talk = new TcpTalk(host);
  if (typeof way !== 'number') {
    for (const [side, flags] of way) talk[side](flags);
    return;
  }
  talk.open();
  const { table } = host.firewall.conntrack;
  for (let row = 1; row < table.limit; row++)
    if (table.words[row * ROW_WORDS + F_STATUS] !== 0) table.words[row * ROW_WORDS + W_STATE] = way;
  // Without flags a packet leaves every state of the classic table as it is.
  talk.client('');
}

describe('classic: timeouts', () => {
  test.each(CASES.map((c) => [c.name, c.state, c.timeout, c] as const))(
    'classic: timeouts: %s: %s lasts %i s',
    (_name, state, timeout, { profile, way }) => {
      const host = new Host(profile);
      go(host, way);
      expect(host.flow().state).toBe(state);
      expect(host.left()).toBe(timeout);
      host.wait(timeout - 0.001);
      expect(host.flows()).toHaveLength(1);
      host.wait(0.001);
      expect(host.flows()).toEqual([]);
    },
  );

  test.each(
    CASES.flatMap((c) =>
      ['ip_ct', 'ip_conntrack', 'nf_conntrack'].map(
        (prefix) => [c.name, `${prefix}_tcp_timeout_${c.state.toLowerCase()}`, c.state, c] as const,
      ),
    ),
  )('classic: timeouts: %s: %s sets that of %s', (_name, sysctl, state, { profile, way }) => {
    // Shorter than every limit that might come in between.
    const host = new Host(profile, { [sysctl]: 7 });
    go(host, way);
    expect(host.flow().state).toBe(state);
    expect(host.left()).toBe(7);
  });

  test.each(['ip_ct_tcp_timeout_none', 'nf_conntrack_tcp_timeout_listen'])(
    'classic: timeouts: there is no %s today',
    (sysctl) => {
      expect(() => new Host(TODAY, { [sysctl]: 7 })).toThrow(/unknown sysctl/);
    },
  );

  // Later kernels give data that nobody acknowledges less time; the documents of the extension know of none.
  test.each([on(CLASSIC, 5 * DAYS), on(WINDOW, 5 * DAYS), on(TODAY, 300)])(
    'classic: timeouts: %s: ESTABLISHED while data is not acknowledged',
    (_name, profile, timeout) => {
      const host = new Host(profile);
      const talk = new TcpTalk(host);
      talk.open();
      talk.client('A', 100);
      expect(host.left()).toBe(timeout);
    },
  );
});
