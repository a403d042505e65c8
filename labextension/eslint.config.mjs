import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const MARKUP = 'text of users is data: build elements and set textContent';
const CODE = 'never make code from data';

export default tseslint.config(
  { ignores: ['lib', 'node_modules', '**/*.mjs', 'style/index.js'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: true } } },
  {
    rules: {
      'no-eval': 'error',
      'no-implied-eval': 'off',
      '@typescript-eslint/no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-console': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-properties': [
        'error',
        ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'srcdoc', 'setHTMLUnsafe'].map(
          property => ({ property, message: MARKUP })
        ),
        { property: 'createContextualFragment', message: MARKUP },
        { property: 'parseFromString', message: MARKUP },
        { object: 'document', property: 'write', message: MARKUP },
        { object: 'document', property: 'writeln', message: MARKUP }
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportExpression', message: CODE },
        { selector: "NewExpression[callee.name='Blob']", message: CODE },
        { selector: "CallExpression[callee.property.name='createObjectURL']", message: CODE }
      ]
    }
  }
);
