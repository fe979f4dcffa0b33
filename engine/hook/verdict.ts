/** NF_DROP. */
export const NF_DROP = 0;
/** NF_ACCEPT. */
export const NF_ACCEPT = 1;
/** NF_STOLEN: the packet was taken over, here: held as a fragment. */
export const NF_STOLEN = 2;
