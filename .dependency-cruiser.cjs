/** The arrows of docs/architecture.md, held by machine: node → services → cluster | storage. */
const no = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });
const test = '\\.test\\.ts$';

module.exports = {
  forbidden: [
    no('no-circular', {}, { circular: true }, 'a cycle is one module in two files'),
    no('not-to-unresolvable', {}, { couldNotResolve: true }, 'the import leads nowhere'),
    no(
      'storage-is-the-bottom',
      { path: '^storage/', pathNot: test },
      { path: '^(node|services|cluster|api)/' },
      'engines know no product words',
    ),
    no(
      'cluster-knows-no-media',
      { path: '^cluster/', pathNot: test },
      { path: '^(node|services|api)/' },
      'the cluster orders, it does not know what',
    ),
    no(
      'services-know-no-cluster',
      { path: '^services/', pathNot: test },
      { path: '^(node|cluster)/' },
      'declare the small type you need; node/ hands in the object',
    ),
    no(
      'raft-is-pure',
      { path: '^cluster/raft/core/', pathNot: test },
      { pathNot: '^cluster/raft/core/' },
      'the Raft core imports nothing but its own types',
    ),
    no(
      'kinds-are-strangers',
      { path: '^services/content/([^/]+)/', pathNot: test },
      { path: '^services/content/([^/]+)/', pathNot: '^services/content/$1/' },
      'what two kinds share is a named thing of its own',
    ),
    no(
      'providers-are-strangers',
      { path: '^services/providers/([^/]+)/', pathNot: test },
      { path: '^services/providers/([^/]+)/', pathNot: '^services/providers/$1/' },
      'providers share only providers/http.ts',
    ),
    no(
      'kinds-know-no-providers',
      { path: '^services/content/', pathNot: test },
      { path: '^services/providers/' },
      'the consumer owns the capability type',
    ),
    no(
      'library-knows-no-kinds',
      { path: '^services/library/', pathNot: test },
      { path: '^services/content/[^/]+/' },
      'the scanner sees content/module.ts only',
    ),
    no(
      'express-stays-in-http',
      { pathNot: '^(node/http/|bench/|test/)' },
      { path: 'node_modules/express/' },
      'a handler is data in, data out',
    ),
    no(
      'ffmpeg-stays-in-one-file',
      { pathNot: '^storage/media/ffmpeg\\.ts$' },
      { path: 'node_modules/fluent-ffmpeg/' },
      'the package is archived; keep it behind one file',
    ),
    no(
      'production-imports-no-tests',
      { path: '^(node|services|cluster|storage|api)/', pathNot: test },
      { path: '(^(test|bench)/)|\\.test\\.ts$' },
      'tests may not ship',
    ),
    no(
      'crossings-use-hash',
      { path: '^(node|services|cluster|storage|api)/' },
      {
        path: '^(node|services|cluster|storage|api)/',
        pathNot: '^$1/',
        dependencyTypesNot: ['aliased', 'aliased-subpath-import'],
      },
      'an import of another top folder begins with #',
    ),
    no(
      'no-dev-dependencies',
      { path: '^(node|services|cluster|storage)/', pathNot: test },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
      'production needs it: move it to dependencies',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
