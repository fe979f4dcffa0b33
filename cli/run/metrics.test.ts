import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { udpPacket } from '@keepstate/engine';
import { afterAll, describe, expect, test } from 'vitest';
import { type Running, RunPlace, until } from '../testing/daemon.ts';
import { metricsAddress } from './metrics-server.ts';

const place = new RunPlace();
afterAll(() => place.end());

/** One line of a page. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/** Reads a page of the text format 0.0.4, and finds whatever its readers would refuse. */
function parse(page: string): { samples: Sample[]; types: Map<string, string> } {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const helps = new Set<string>();
  expect(page.endsWith('\n')).toBe(true);
  for (const line of page.trimEnd().split('\n')) {
    const about = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (about !== null) {
      const [, kind, name, text] = about;
      if (kind === 'HELP') {
        expect(helps.has(name!)).toBe(false);
        helps.add(name!);
      } else {
        expect(['counter', 'gauge']).toContain(text);
        types.set(name!, text!);
      }
      continue;
    }
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    expect(match, line).not.toBe(null);
    const labels: Record<string, string> = {};
    const inside = match![2] ?? '';
    LABEL.lastIndex = 0;
    for (let at = 0; at < inside.length; at = LABEL.lastIndex) {
      const label = LABEL.exec(inside);
      expect(label, line).not.toBe(null);
      labels[label![1]!] = label![2]!;
    }
    expect(types.has(match![1]!), `${line} has a type before it`).toBe(true);
    expect(match![3]).toMatch(/^(NaN|[+-]Inf|-?[\d.]+(e[+-]?\d+)?)$/);
    samples.push({ name: match![1]!, labels, value: Number(match![3]) });
  }
  const keys = samples.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
  expect(new Set(keys).size).toBe(keys.length);
  return { samples, types };
}

function value(samples: readonly Sample[], name: string, labels: Sample['labels'] = {}): number | undefined {
  return samples.find(
    (s) => s.name === name && Object.entries(labels).every(([key, word]) => s.labels[key] === word),
  )?.value;
}

function get(
  port: number,
  path: string,
  method = 'GET',
): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode!, type: response.headers['content-type'] ?? '', body }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

function portOf({ lines }: Running): number {
  return Number(/metrics: listening .*port=(\d+)/.exec(lines.join('\n'))![1]);
}

function rules(): string {
  return place.file(
    'rules.nft',
    'table inet fw {\n\tchain forward {\n\t\ttype filter hook forward priority 0;\n\t\tudp dport 1 drop\n\t}\n}\n',
  );
}

describe('/metrics', () => {
  test('is a page that Prometheus reads, with what became of packets and flows', async () => {
    const running = await place.run(['--rules', rules(), '--metrics', '0']);
    const { driver } = running;
    const ends = { src: '10.0.0.1', dst: '10.0.0.2' };
    for (const dport of [53, 1, 1, 54])
      driver.push(udpPacket({ ...ends, sport: 9, dport, payload: new Uint8Array(100) }));
    const { status, type, body } = await get(portOf(running), '/metrics');
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
    const { samples, types } = parse(body);
    expect(value(samples, 'keepstate_packets_total', { verdict: 'accept', ct_state: 'NEW' })).toBe(2);
    expect(value(samples, 'keepstate_packets_total', { verdict: 'drop', ct_state: 'NEW' })).toBe(2);
    expect(value(samples, 'keepstate_bytes_total', { fate: 'accepted' })).toBe(256);
    expect(value(samples, 'keepstate_flows', { protocol: 'udp' })).toBe(2);
    expect(value(samples, 'keepstate_flows_limit')).toBe(262144);
    expect(value(samples, 'keepstate_conntrack_created_total')).toBe(2);
    expect(value(samples, 'keepstate_driver_received_total', { driver: 'bridge', name: 'eth0,eth1' })).toBe(
      4,
    );
    expect(value(samples, 'keepstate_loop_lag_seconds', { quantile: '1' })).toBeGreaterThanOrEqual(0);
    expect(value(samples, 'keepstate_memory_bytes', { kind: 'resident' })).toBeGreaterThan(1e6);
    expect(samples.some(({ name }) => name.startsWith('node_'))).toBe(false);
    // Counters, and only they, end in _total.
    for (const [name, kind] of types) expect(name.endsWith('_total')).toBe(kind === 'counter');
    const client = await running.client();
    await client.call('reload', {});
    const after = parse(await client.call('metrics', {})).samples;
    expect(value(after, 'keepstate_reloads_total', { result: 'ok' })).toBe(1);
    client.close();
  });

  test('has the names of node_exporter where they are asked for: gauges without _total', async () => {
    const running = await place.run(['--rules', rules(), '--metrics', '127.0.0.1:0', '--metrics-compat']);
    const { samples, types } = parse((await get(portOf(running), '/metrics')).body);
    const names = ['entries', 'entries_limit', 'stat_found', 'stat_invalid', 'stat_ignore', 'stat_insert'];
    for (const name of [
      ...names,
      'stat_insert_failed',
      'stat_drop',
      'stat_early_drop',
      'stat_search_restart',
    ]) {
      expect(value(samples, `node_nf_conntrack_${name}`)).toBeGreaterThanOrEqual(0);
      expect(types.get(`node_nf_conntrack_${name}`)).toBe('gauge');
    }
  });

  test('is read only, and beside it is only /health, which says what is wrong', async () => {
    const running = await place.run(['--rules', rules(), '--metrics', ':0']);
    const port = portOf(running);
    expect((await get(port, '/metrics', 'POST')).status).toBe(405);
    expect((await get(port, '/../etc/passwd')).status).toBe(404);
    expect(await get(port, '/health')).toMatchObject({ status: 200, body: '{"status":"ok"}\n' });
    running.driver.gone = ['eth1'];
    expect(await get(port, '/health')).toMatchObject({
      status: 503,
      body: '{"status":"failing","reason":"there is no device eth1"}\n',
    });
    running.signal('SIGTERM');
    expect(await running.done).toBe(0);
    await expect(get(port, '/health')).rejects.toThrow('ECONNREFUSED');
  });

  test('tells of the state: when it was saved, and how often that failed', async () => {
    const state = `${place.folder}/state`;
    const running = await place.run(['--rules', rules(), '--state', state, '--state-every', '1']);
    const client = await running.client();
    await until(
      async () =>
        value(parse(await client.call('metrics', {})).samples, 'keepstate_state_saves_total', {
          result: 'ok',
        })! > 0,
    );
    const { samples } = parse(await client.call('metrics', {}));
    expect(value(samples, 'keepstate_state_saved_timestamp_seconds')).toBeGreaterThan(1e9);
    expect(readFileSync(state).length).toBeGreaterThan(0);
    client.close();
  });
});

test.each([
  ['9100', { host: '127.0.0.1', port: 9100 }],
  [':9100', { host: '127.0.0.1', port: 9100 }],
  ['0.0.0.0:9100', { host: '0.0.0.0', port: 9100 }],
  ['[::1]:9100', { host: '::1', port: 9100 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
])('--metrics %s means %j', (text, address) => {
  expect(metricsAddress(text)).toEqual(address);
});

test.each(['', 'x', '1:2:3', '127.0.0.1:99999', '127.0.0.1:'])('--metrics %j is refused', (text) => {
  expect(() => metricsAddress(text)).toThrow('expected ADDRESS:PORT');
});
