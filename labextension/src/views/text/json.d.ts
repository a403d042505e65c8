/** A catalogue of translations, as JupyterLab reads it too. */
declare module '*.json' {
  const catalogue: Record<string, string[] | Record<string, string>>;
  export default catalogue;
}
