export { Broker, defaultAclDirectory, defaultBrokerPath } from './server.js';
export type { BrokerOptions } from './server.js';
export { BrokerCore } from './core.js';
export { aclRules } from './acl.js';
export type { Accounts, AclPermission, AclRule, Credentials } from './acl.js';
export type { Client as BrokerClient, IdKind, RandomId } from './bus.js';
export type { Connection } from './tx-queue.js';
