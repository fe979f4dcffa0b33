import type {
  CounterNode,
  CtExpectationNode,
  CtHelperNode,
  CtTimeoutNode,
  LimitNode,
  QuotaNode,
  SecmarkNode,
  SynproxyNode,
} from './ast.ts';
import type { ListContext } from './list-expr.ts';
import { priorityNumber, priorityText } from './list-priority.ts';
import { limitText, quotaText } from './list-rate.ts';
import type { NftFlowtable, NftObject } from './ruleset-state.ts';
import { durationText } from './type-print.ts';

/** A body's lines, without their indentation. */
type Lines = readonly string[];

function counterLines(node: CounterNode, { options }: ListContext): Lines {
  return options.stateless === true ? [] : [`packets ${node.packets} bytes ${node.bytes}`];
}

function quotaLines({ quota }: QuotaNode, { options }: ListContext): Lines {
  return quota === undefined ? [] : [quotaText(quota, options.stateless === true)];
}

function helperLines(node: CtHelperNode, { family }: ListContext): Lines {
  return [`type "${node.type}" protocol ${node.protocol}`, `l3proto ${node.l3proto ?? family}`];
}

function timeoutLines(node: CtTimeoutNode, { family }: ListContext): Lines {
  const policy = (node.policy ?? []).map(({ state, value }) => `${state} : ${value}`);
  return [
    `protocol ${node.protocol}`,
    `l3proto ${node.l3proto ?? family}`,
    `policy = { ${policy.join(', ')} }`,
  ];
}

function expectationLines(node: CtExpectationNode, { family, options }: ListContext): Lines {
  const numeric = options.numeric === true || options.numericTime === true;
  const ms = BigInt(node.timeout ?? 0);
  return [
    `protocol ${node.protocol}`,
    `dport ${node.dport}`,
    `timeout ${numeric ? `${ms / 1000n}s` : durationText(ms)}`,
    `size ${node.size}`,
    `l3proto ${node.l3proto ?? family}`,
  ];
}

function synproxyLines({ synproxy }: SynproxyNode): Lines {
  if (synproxy === undefined) return [];
  const { mss, wscale, flags } = synproxy;
  const lines: string[] = [];
  if (mss !== undefined) lines.push(`mss ${mss}`);
  if (wscale !== undefined) lines.push(`wscale ${wscale}`);
  // The blank between the two stands even if one is missing (measured).
  if (flags.length > 0) {
    const timestamp = flags.includes('timestamp') ? 'timestamp' : '';
    lines.push(`${timestamp} ${flags.includes('sack-perm') ? 'sack-perm' : ''}`);
  }
  return lines;
}

function bodyLines(object: NftObject, context: ListContext): Lines {
  const { kind, node } = object;
  switch (kind) {
    case 'counter':
      return counterLines(node as CounterNode, context);
    case 'quota':
      return quotaLines(node as QuotaNode, context);
    case 'limit': {
      const { limit } = node as LimitNode;
      return limit === undefined ? [] : [limitText(limit)];
    }
    case 'ct helper':
      return helperLines(node as CtHelperNode, context);
    case 'ct timeout':
      return timeoutLines(node as CtTimeoutNode, context);
    case 'ct expectation':
      return expectationLines(node as CtExpectationNode, context);
    case 'synproxy':
      return synproxyLines(node as SynproxyNode);
    case 'secmark':
      return [`"${(node as SecmarkNode).context}"`];
  }
}

/** A stateful object as `nft list ruleset` writes it. */
export function objectText(source: NftObject, context: ListContext): string {
  const object = context.running?.objectNow(source) ?? source;
  const handle = context.options.handles === true ? ` # handle ${object.handle}` : '';
  const comment = object.node.comment === undefined ? [] : [`comment "${object.node.comment}"`];
  const lines = [...comment, ...bodyLines(object, context)].map((line) => `\t\t${line}\n`);
  return `\t${object.kind} ${object.name} {${handle}\n${lines.join('')}\t}\n`;
}

/** A flowtable as `nft list ruleset` writes it. */
export function flowtableText(flowtable: NftFlowtable, { options, family }: ListContext): string {
  const { node } = flowtable;
  const named = node.prio?.name === undefined ? 0 : priorityNumber(node.prio.name, family, 'ingress');
  const number = (named ?? 0) + (node.prio?.offset ?? 0);
  const numeric = options.numeric === true || options.numericPriority === true;
  const priority = numeric ? String(number) : priorityText(number, family, node.hook ?? 'ingress');
  let text = `\tflowtable ${flowtable.name} {${options.handles === true ? ` # handle ${flowtable.handle}` : ''}\n`;
  if (node.hook !== undefined) text += `\t\thook ${node.hook} priority ${priority}\n`;
  if ((node.devices ?? []).length > 0) text += `\t\tdevices = { ${node.devices!.join(', ')} }\n`;
  for (const flag of node.flags ?? []) text += flag === 'offload' ? '\t\tflags offload\n' : `\t\t${flag}\n`;
  return `${text}\t}\n`;
}
