export declare function packPackages(): string;
