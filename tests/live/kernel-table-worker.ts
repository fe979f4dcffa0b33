/**
 * Carries out `keepstate conntrack --kernel …` in the network namespace that it was started in: a message asks for one
 * command, and several may run at a time. A signal is the message `SIGINT`.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ctnetlink, type FlowRequest } from '@keepstate/live';
import { Output } from '../../cli/output.ts';
import { run } from '../../cli/run.ts';

/** A command, told apart by its number. */
export interface Asked {
  readonly id: number;
  readonly args: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'keepstate-kernel-table-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

async function carryOut({ id, args }: Asked): Promise<void> {
  const path = join(folder, `out${id}`);
  const fd = openSync(path, 'w');
  let err = '';
  const status = await run(['conntrack', '--kernel', ...args], {
    out: new Output(fd),
    say: (line) => {
      err += `${line}\n`;
    },
    env: process.env,
    outIsTTY: false,
    errIsTTY: false,
    exact: true,
  });
  closeSync(fd);
  process.send?.({ id, did: { status, out: readFileSync(path, 'utf8'), err } });
}

/** A flow to be made, which no command could: with a helper. */
export interface Made {
  readonly id: number;
  readonly flow: FlowRequest;
}

function make({ id, flow }: Made): void {
  const kernel = new Ctnetlink();
  const { src, dst, sport, dport } = flow.original!;
  const reply = { src: dst, dst: src, sport: dport!, dport: sport! };
  process.send?.({ id, did: kernel.create({ reply, ...flow }) });
  kernel.close();
}

process.on('message', (message: Asked | Made | 'SIGINT') => {
  if (message === 'SIGINT') process.emit('SIGINT');
  else if ('flow' in message) make(message);
  else void carryOut(message);
});
process.on('disconnect', () => process.exit(0));
// The signal ends commands, not the worker.
process.on('SIGINT', () => undefined);
process.setMaxListeners(0);
process.send?.('ready');
