import { expect, test } from 'vitest';
import { parseArguments } from './command-line.ts';
import { EventPrinter } from './event-printer.ts';
import { Labels } from './labels.ts';

test('-E -o labels says that there are no names of labels before anything happens', () => {
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
  };
  const world = { say, labels: new Labels(say, '/nonexistent/connlabel.conf'), write: () => undefined };
  new EventPrinter(parseArguments(['conntrack', '-E', '-o', 'timestamp'], world), world);
  expect(said).toEqual([]);
  new EventPrinter(parseArguments(['conntrack', '-E', '-o', 'labels'], world), world);
  expect(said).toEqual(['nfct_labelmap_new: No such file or directory']);
});
