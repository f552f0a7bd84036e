import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';

const limits = {
  'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
  'max-params': ['error', 3],
  complexity: ['error', 20],
};

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      'coverage',
      'web/build',
      'web/.svelte-kit',
      'web/src/service-worker.ts',
      'api/types.ts',
      'data',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      ...limits,
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ClassDeclaration:not([superClass.name=/Error$/])',
          message: 'Classes are for errors; write a factory: createX(deps).',
        },
      ],
    },
  },
  {
    // mocha's describe() bodies are lists of cases, and chai asserts with property reads.
    files: ['**/*.test.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['web/**/*.svelte', 'web/**/*.svelte.ts'],
    extends: [...svelte.configs.recommended],
    languageOptions: {
      parserOptions: {
        projectService: true,
        parser: tseslint.parser,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      // svelte-check knows what is defined; what a store keeps is one closure.
      'no-undef': 'off',
      'no-unused-vars': 'off',
      'max-lines-per-function': 'off',
      // It means locals too, which nothing on the page hangs on.
      'svelte/prefer-svelte-reactivity': 'off',
      // The app is always at the root of its address.
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        ...{ process: 'readonly', URL: 'readonly', module: 'writable', performance: 'readonly' },
      },
    },
  },
  {
    files: ['web/static/*.js'],
    languageOptions: {
      globals: {
        ...{ document: 'readonly', localStorage: 'readonly', matchMedia: 'readonly' },
        navigator: 'readonly',
      },
    },
  },
);
