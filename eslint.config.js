import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", ".sandbox/"] },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // An Output in a template string prints the text of an error: this rule catches it.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // What is taken out of an object is named so that the rest is left.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      // Pulumi resources are declared for their effect.
      "no-new": "off",
      "@typescript-eslint/no-extraneous-class": "off",
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // node:assert narrows by non-null assertions in tests; a wrong one fails the test.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
