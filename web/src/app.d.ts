declare global {
  namespace App {
    interface PageState {
      /** The folder picker is open. */
      readonly picker?: boolean;
    }
  }
}

export {};
