import type {
  CounterNode,
  CtExpectationNode,
  CtHelperNode,
  CtTimeoutNode,
  Family,
  LimitNode,
  QuotaNode,
  SecmarkNode,
  SynproxyNode,
} from './ast.ts';
import { shapeOf } from './eval-elements.ts';
import { type Info, partsOf } from './eval-scope.ts';
import { exprJson, type JsonContext, secondsJson } from './json-write-expr.ts';
import { stmtJson, templateJson } from './json-write-stmt.ts';
import { type Json, jsonText } from './json-write-text.ts';
import { listedLimit, quotaBytes } from './list-rate.ts';
import { listedElements, listedSize, setFlags } from './list-set.ts';
import { stmtText } from './list-stmt.ts';
import type {
  ListOptions,
  NftChain,
  NftFlowtable,
  NftObject,
  NftRule,
  NftSet,
  NftState,
  NftTable,
} from './ruleset-state.ts';
import type { Running } from './running.ts';

type Members = { readonly [key: string]: Json | undefined };

/** What `nft -j` says of itself first. */
const METAINFO: Json = {
  metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 },
};

function contextOf(family: Family, options: ListOptions, running?: Running): JsonContext {
  return { family, options, running, statement: stmtText, statementJson: stmtJson };
}

function limitMembers({ limit }: LimitNode): Members {
  if (limit === undefined) return {};
  const { rate, per, inv, rateUnit, burst, burstUnit } = listedLimit(limit);
  return { rate, per, inv: inv ? true : undefined, rate_unit: rateUnit, burst, burst_unit: burstUnit };
}

function quotaMembers({ quota }: QuotaNode): Members {
  if (quota === undefined) return {};
  const { total, used } = quotaBytes(quota);
  return { bytes: total, used, inv: quota.inv };
}

function timeoutMembers(node: CtTimeoutNode, family: Family): Members {
  // Without any it is null (measured).
  const states = (node.policy ?? []).map(({ state, value }) => [state, value] as const);
  const policy = states.length === 0 ? null : Object.fromEntries(states);
  return { protocol: node.protocol, l3proto: node.l3proto ?? family, policy };
}

function expectationMembers(node: CtExpectationNode, family: Family): Members {
  const { protocol, dport, timeout, size } = node;
  return { protocol, dport, timeout, size, l3proto: node.l3proto ?? family };
}

function synproxyMembers({ synproxy }: SynproxyNode): Members {
  if (synproxy === undefined) return {};
  const flags = (['timestamp', 'sack-perm'] as const).filter((flag) => synproxy.flags.includes(flag));
  return { mss: synproxy.mss, wscale: synproxy.wscale, flags: flags.length === 0 ? undefined : flags };
}

function bodyMembers({ kind, node, table }: NftObject): Members {
  switch (kind) {
    case 'counter': {
      const { packets, bytes } = node as CounterNode;
      return { packets, bytes };
    }
    case 'quota':
      return quotaMembers(node as QuotaNode);
    case 'limit':
      return limitMembers(node as LimitNode);
    case 'ct helper': {
      const { type, protocol, l3proto } = node as CtHelperNode;
      return { type, protocol, l3proto: l3proto ?? table.family };
    }
    case 'ct timeout':
      return timeoutMembers(node as CtTimeoutNode, table.family);
    case 'ct expectation':
      return expectationMembers(node as CtExpectationNode, table.family);
    case 'synproxy':
      return synproxyMembers(node as SynproxyNode);
    case 'secmark':
      return { context: (node as SecmarkNode).context };
  }
}

/** A stateful object. */
function objectJson(source: NftObject, { running }: JsonContext): Json {
  const object = running?.objectNow(source) ?? source;
  const { table, name, handle, node } = object;
  const head = { family: table.family, name, table: table.name, handle, comment: node.comment };
  return { [object.kind]: { ...head, ...bodyMembers(object) } };
}

/** The names of a set's types: one as a string, those of a concatenation as an array. */
function typesJson(info: Info): Json {
  const names = partsOf(info).map((part) => part.type.name);
  return names.length === 1 ? names[0]! : names;
}

function mapType(set: NftSet): Json | undefined {
  const { data } = shapeOf(set);
  if (data === null) return undefined;
  if (data === 'verdict') return 'verdict';
  if ('object' in data) return data.object;
  return partsOf(data)
    .map((part) => part.type.name)
    .join(' . ');
}

/** A named set or map. */
function setJson(set: NftSet, context: JsonContext, word: string = set.kind): Json {
  const { node, table } = set;
  const elements = context.options.terse === true ? [] : listedElements(set, context);
  // The one flag that JSON leaves out.
  const flags = setFlags(node).filter((flag) => flag !== 'dynamic');
  return {
    [word]: {
      family: table.family,
      name: set.name,
      table: table.name,
      type: typesJson(shapeOf(set).key),
      handle: set.handle,
      comment: node.comment,
      map: mapType(set),
      policy: node.policy === 'memory' && node.flags?.includes('constant') !== true ? 'memory' : undefined,
      size: listedSize(node),
      flags: flags.length === 0 ? undefined : flags,
      timeout: secondsJson(node.timeout),
      'gc-interval': secondsJson(node['gc-interval']),
      elem: elements.length === 0 ? undefined : elements.map((one) => exprJson(one, context)),
      stmt: templateJson(node.stmt, context),
    },
  };
}

function flowtableJson({ table, name, handle, node }: NftFlowtable): Json {
  const devices = node.devices ?? [];
  return {
    flowtable: {
      family: table.family,
      name,
      table: table.name,
      handle,
      hook: node.hook,
      prio: node.prio?.offset ?? 0,
      dev: devices.length === 0 ? undefined : devices.length === 1 ? devices[0] : devices,
    },
  };
}

function chainJson({ table, name, handle, base }: NftChain): Json {
  const head = { family: table.family, table: table.name, name, handle };
  if (base === null) return { chain: head };
  const { type, hook, priority, policy } = base;
  return { chain: { ...head, type, hook, prio: priority, policy } };
}

function ruleJson(rule: NftRule, chain: NftChain, context: JsonContext): Json {
  return {
    rule: {
      family: chain.table.family,
      table: chain.table.name,
      chain: chain.name,
      handle: rule.handle,
      comment: rule.comment,
      expr: rule.expr.map((node) => stmtJson(node, context)),
    },
  };
}

/** A table and all that is in it: its objects, sets, chains, and only then its rules. */
function tableJson(table: NftTable, options: ListOptions, running?: Running): Json[] {
  const { family, name, handle, flags } = table;
  const context = contextOf(family, options, running);
  const chains = [...table.chains.values()];
  return [
    // nft 1.0.6 prints memory that it does not own here, so there is no right text.
    { table: { family, name, handle, flags: flags.length === 0 ? undefined : flags.join(',') } },
    ...[...table.objects.values()].map((object) => objectJson(object, context)),
    ...[...table.sets.values()].map((set) => setJson(set, context)),
    ...[...table.flowtables.values()].map(flowtableJson),
    ...chains.map(chainJson),
    ...chains.flatMap((chain) => chain.rules.map((rule) => ruleJson(rule, chain, context))),
  ];
}

/**
 * `nft -j list ruleset`: one line without a line's end.
 * @param state evaluated: rules hold typed constants in the order in which nft lists them
 * @param family of `list ruleset ip6`; all if undefined
 * @param running what packets have made of it
 */
export function listJson(
  state: NftState,
  options: ListOptions = {},
  family?: Family,
  running?: Running,
): string {
  const tables = [...state.tables.values()].filter(
    (table) => family === undefined || table.family === family,
  );
  return jsonText({ nftables: [METAINFO, ...tables.flatMap((table) => tableJson(table, options, running))] });
}
