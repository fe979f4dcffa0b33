import { GenericTracker } from './generic.ts';
// Placeholder until the SCTP tracker stands here.
export class SctpTracker extends GenericTracker {}
