/** RPC between the nodes of a cluster; the protocol is described in wire.ts. */
export { createRpcClient } from './client.ts';
export { CallError, RpcError, type Executed } from './errors.ts';
export { joinCluster, type JoinAnswer, type JoinOptions } from './join.ts';
export { createRpcServer } from './server.ts';
export * from './types.ts';
