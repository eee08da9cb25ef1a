module send

go 1.19
