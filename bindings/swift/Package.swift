// swift-tools-version:5.9
// The sources are generated: see ../README.md.
import PackageDescription

let package = Package(
    name: "Vistter",
    products: [.library(name: "Vistter", targets: ["Vistter"])],
    targets: [
        .systemLibrary(name: "vistterFFI"),
        .target(
            name: "Vistter",
            dependencies: ["vistterFFI"],
            linkerSettings: [.linkedLibrary("vistter_bindings")]
        ),
    ]
)
