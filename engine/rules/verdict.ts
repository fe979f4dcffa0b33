/** NF_DROP: the packet ends here. */
export const NF_DROP = 0;
/** NF_ACCEPT: the packet goes on. */
export const NF_ACCEPT = 1;
/** NF_STOLEN: the packet was taken over: held as a fragment, or answered for. */
export const NF_STOLEN = 2;
/** NF_QUEUE: handed to user space; the queue's number is in the upper half of the word. */
export const NF_QUEUE = 3;
/** NF_REPEAT: the hook is to be called again (xtables only). */
export const NF_REPEAT = 4;
/** Ours: something that keepstate cannot evaluate would have decided. */
export const NF_UNKNOWN = 15;

/** The verdict word without a queue's number. */
export const NF_VERDICT_MASK = 0xff;

/** NFT_CONTINUE, XT_CONTINUE: go on with the rule's next expression, or with the next rule. */
export const NFT_CONTINUE: number = -1;
/** NFT_BREAK: the rule does not match; go on with the next rule. */
export const NFT_BREAK: number = -2;
/** NFT_JUMP: into `state.target`; comes back behind this rule. */
export const NFT_JUMP: number = -3;
/** NFT_GOTO: into `state.target`; comes back where the chain that holds the rule would have. */
export const NFT_GOTO: number = -4;
/** NFT_RETURN, XT_RETURN: to the chain that jumped here; in a base chain, to its policy. */
export const NFT_RETURN: number = -5;
