"""The servables as TensorFlow graphs: their modules, tables, export and loading."""
