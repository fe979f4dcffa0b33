/** The oracle's child process: owns the namespace and obeys requests that come over the IPC channel. */
import { Namespace, runCommand } from './namespace.ts';
import { type Collect, type PackedPackets, replay } from './replay.ts';
import type { KernelEvent, KernelOptions } from './types.ts';

/** What the parent may ask; the answer is a Reply with the same id. */
export type Request =
  | { readonly op: 'open'; readonly options: KernelOptions }
  | { readonly op: 'replay'; readonly packets: PackedPackets; readonly collect: Collect }
  | { readonly op: 'table' }
  | { readonly op: 'flush' }
  | { readonly op: 'reset' }
  | { readonly op: 'sysctls'; readonly sysctls: Readonly<Record<string, string | number>> }
  | { readonly op: 'exec'; readonly command: readonly string[]; readonly stdin: string };

/** Answer to the request with this id: a value or an error text. */
export interface Reply {
  readonly reply: number;
  readonly value?: unknown;
  readonly error?: string;
}

let options: KernelOptions = {};
let current: Namespace | null = null;

function namespace(): Namespace {
  if (current === null) throw new Error('no namespace is open');
  return current;
}

function enter(): void {
  current?.close();
  current = null;
  current = new Namespace(options);
}

function flush(): void {
  namespace().table.flush();
  const forgotten: KernelEvent[] = [];
  namespace().events?.read(forgotten, true);
}

function answer(request: Request): unknown {
  switch (request.op) {
    case 'open':
      options = request.options;
      return enter();
    case 'reset':
      return enter();
    case 'replay':
      return replay(namespace(), request.packets, request.collect);
    case 'table':
      return namespace().table.dump();
    case 'flush':
      return flush();
    case 'sysctls':
      return namespace().configure(request.sysctls, options.log ?? true);
    case 'exec':
      return runCommand(request.command, request.stdin);
  }
}

process.on('message', ({ id, request }: { id: number; request: Request }) => {
  let reply: Reply;
  try {
    reply = { reply: id, value: answer(request) };
  } catch (error) {
    reply = { reply: id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send!(reply);
});
process.on('disconnect', () => process.exit(0));
